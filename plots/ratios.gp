# SPDX-License-Identifier: GPL-2.0
# Panels of ratios: a point per cell with its interval, coloured by the verdict. The grey band marks ratios that count as
# unchanged.

folder = ARG1; picture = ARG2; kind = ARG3
load folder.'/facts.gp'
key_width = 2; key_points = 1
load 'style.gp'

set bars 0.5
data(panel, i) = sprintf('%s/%d-%d.dat', folder, panel, i)
name_font = sized(11)
is_cut(label) = label[1:strlen('↑')] eq '↑'

set multiplot
do for [panel = 1:n_panels] {
	eval place_panel
	set bmargin at screen y_at(top + panel_height - names_height)
	eval axes[panel]
	set xtics rotate by 60 right scale 0.3 font name_font
	unset xlabel
	set ylabel labels[panel]
	set title panels[panel] font heading(15) offset 0, -0.6
	set object 1 rectangle from graph 0, first band_low to graph 1, first band_high \
		fillcolor rgb '#E4E4E4' fillstyle solid noborder behind
	set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead linecolor rgb '#777777' linewidth 1.5 back
	plot for [i = 1:n_containers] data(panel, i) using 1:2:3:4 with yerrorbars linetype styles[i] notitle, \
		for [i = 1:n_containers] data(panel, i) using 1:2:(is_cut(strcol(5)) ? strcol(5) : '') with labels \
			right offset -1.4, 0 font name_font notitle
	unset label
	unset arrow
	unset object
}
unset multiplot
