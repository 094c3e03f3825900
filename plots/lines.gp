# SPDX-License-Identifier: GPL-2.0
# Panels of lines over n: a line per container, error bars from p10 to p90, notes beside a panel in the colour of their
# line, and vertical lines at the same values of n in all panels.

folder = ARG1; picture = ARG2; kind = ARG3
load folder.'/facts.gp'
key_width = 2; key_points = 1
load 'style.gp'

set bars 0.6
data(panel, i) = sprintf('%s/%d-%d.dat', folder, panel, i)
floors(panel, what) = sprintf('%s/%d-%s.dat', folder, panel, what)
aside_width = 250
aside_height = 20

set multiplot
do for [panel = 1:n_panels] {
	eval place_panel
	if (n_asides > 0) { set rmargin at screen x_at(right - aside_width) }
	do for [i = first_aside[panel]:last_aside[panel]] {
		set label (300 + i) asides[i] at screen x_at(right - aside_width + 14), \
			screen y_at(top + 44 + aside_height * (i - first_aside[panel])) left \
			font sized(13) textcolor rgb colour(aside_series[i])
	}
	do for [i = 1:n_verticals] {
		set arrow (300 + i) from first verticals_x[i], graph 0 to first verticals_x[i], graph 1 nohead back \
			linecolor rgb '#777777' linewidth 1 dashtype 3
		set label (800 + i) verticals[i] at first verticals_x[i], graph 0 left offset 0.3, 0.7 \
			font sized(12) textcolor rgb '#555555'
	}
	eval axes[panel]
	set ylabel labels[panel]
	set title panels[panel] font heading(15) offset 0, -0.6
	plot floors(panel, 'floors') using 1:2 with linespoints linecolor rgb '#888888' linewidth 1 pointtype 7 pointsize 0.3 notitle, \
		floors(panel, 'floor') using 1:2 with lines @mark_line notitle, \
		for [i = 1:n_containers] data(panel, i) using 1:2:3:4 with yerrorlines linetype styles[i] notitle, \
		floors(panel, 'floor-names') using 1:2:(strcol(3)) with labels left offset 0.5, 0 font sized(10) \
			textcolor rgb '#555555' notitle
	unset label
	unset arrow
}
unset multiplot
