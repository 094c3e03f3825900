# SPDX-License-Identifier: GPL-2.0
# Panels of stacked bars: a bar per cell, whose parts are functions, with its cost above it.

folder = ARG1; picture = ARG2; kind = ARG3
load folder.'/facts.gp'
key_width = 12; key_points = 0
load 'style.gp'

set grid noxtics
half = 0.36
data(panel, i) = sprintf('%s/%d-%d.dat', folder, panel, i)
marks(panel) = sprintf('%s/%d-marks.dat', folder, panel)
if_full(i, value) = is_later(styles[i]) ? NaN : value
if_later(i, value) = is_later(styles[i]) ? value : NaN
name_font = sized(11)

set multiplot
do for [panel = 1:n_panels] {
	eval place_panel
	set bmargin at screen y_at(top + panel_height - names_height)
	eval axes[panel]
	set xtics rotate by 60 right scale 0.3 font name_font
	unset xlabel
	set ylabel labels[panel]
	set title panels[panel] font heading(15) offset 0, -0.6
	plot for [i = 1:n_containers] data(panel, i) using 1:(if_full(i, $2)):($1 - half):($1 + half):3:2 with boxxyerror \
			fillstyle solid 0.85 noborder linecolor rgb colour(i) notitle, \
		for [i = 1:n_containers] data(panel, i) using 1:(if_later(i, $2)):($1 - half):($1 + half):3:2 with boxxyerror \
			fillstyle @later_fill linecolor rgb colour(i) linewidth 1.5 dashtype solid notitle, \
		marks(panel) using 1:3:(strcol(4)) with labels offset 0, 0.6 font name_font notitle
	unset label
	unset arrow
	unset object
}
unset multiplot
