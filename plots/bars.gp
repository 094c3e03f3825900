# SPDX-License-Identifier: GPL-2.0
# Panels of bars: a group per operation, a bar per container or device, its value above it, error bars from p10 to p90.
# A dashed line marks the level to compare with; a hatched bar must not be compared with the others.

folder = ARG1; picture = ARG2; kind = ARG3
load folder.'/facts.gp'
key_width = 12; key_points = 0
load 'style.gp'

set grid noxtics
set boxwidth 0.86
# Values above narrow bars are rotated: below this many slots, in pixels.
narrow = 40
outside = -1e9 # not NaN: gnuplot 5.4 crashes if all labels of a plot are NaN
level(panel, x) = slots[panel] < narrow ? outside : x
upright(panel, x) = slots[panel] < narrow ? x : outside
label_font = sized(n_containers > 6 ? 11 : 12)
data(panel, i) = sprintf('%s/%d-%d.dat', folder, panel, i)
marks(panel) = sprintf('%s/%d-marks.dat', folder, panel)
if_compared(i, value) = i == uncompared || is_later(styles[i]) ? NaN : value
if_later(i, value) = i != uncompared && is_later(styles[i]) ? value : NaN
if_uncompared(i, value) = i == uncompared ? value : NaN

set multiplot
do for [panel = 1:n_panels] {
	eval place_panel
	eval axes[panel]
	tick_font = heading(tick_sizes[panel])
	set xtics scale 0 font tick_font
	set ylabel labels[panel]
	set title panels[panel] font heading(15) offset 0, -0.6
	plot for [i = 1:n_containers] data(panel, i) using 1:(if_compared(i, $2)) with boxes \
			fillstyle solid 0.85 noborder linecolor rgb colour(i) notitle, \
		for [i = 1:n_containers] data(panel, i) using 1:(if_later(i, $2)) with boxes \
			fillstyle @later_fill linecolor rgb colour(i) linewidth 1.5 dashtype solid notitle, \
		for [i = 1:n_containers] data(panel, i) using 1:(if_uncompared(i, $2)) with boxes \
			fillstyle @uncompared_fill linecolor rgb colour(i) linewidth 1 notitle, \
		marks(panel) using 1:3:($2 - $1):(0) with vectors nohead @mark_line notitle, \
		for [i = 1:n_containers] data(panel, i) using 1:3:(0):($4 - $3) with vectors heads size screen 0.004, 90 \
			linecolor rgb '#333333' linewidth 1.5 dashtype 1 notitle, \
		for [i = 1:n_containers] data(panel, i) using (level(panel, $1)):4:(strcol(5)) with labels \
			offset 0, 0.7 font label_font notitle, \
		for [i = 1:n_containers] data(panel, i) using (upright(panel, $1)):4:(strcol(5)) with labels \
			rotate by 90 left offset 0, 0.4 font label_font notitle, \
		marks(panel) using 2:3:(strcol(4)) with labels left offset 0.3, 0 font label_font notitle
	unset label
	unset arrow
	unset object
}
unset multiplot
