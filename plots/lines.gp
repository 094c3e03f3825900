# SPDX-License-Identifier: GPL-2.0
# Panels of lines over n: a line a container, error bars from p10 to p90.

folder = ARG1; picture = ARG2; kind = ARG3
load folder.'/facts.gp'
key_width = 2; key_points = 1
load 'style.gp'

set bars 0.6
data(panel, i) = sprintf('%s/%d-%d.dat', folder, panel, i)

set multiplot
do for [panel = 1:n_panels] {
	eval place_panel
	eval axes[panel]
	set ylabel labels[panel]
	set title panels[panel] font heading(15) offset 0, -0.6
	plot for [i = 1:n_containers] data(panel, i) using 1:2:3:4 with yerrorlines linetype styles[i] notitle
	unset label
	unset arrow
}
unset multiplot
