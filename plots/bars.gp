# SPDX-License-Identifier: GPL-2.0
# One panel of bars: a group an operation, a bar a container, its value above it, error bars from p10 to p90.

folder = ARG1; picture = ARG2; kind = ARG3
load folder.'/facts.gp'
panel_height = 480; key_width = 12; key_points = 0
load 'style.gp'

set xlabel x_label offset 0, 0.3
group_font = heading(15)
set xtics scale 0 font group_font
set grid noxtics
set style fill solid 0.85 noborder
set boxwidth 0.86
data(panel, i) = sprintf('%s/%d-%d.dat', folder, panel, i)

panel = 1
eval place_panel
eval axes[panel]
set ylabel labels[panel]
plot for [i = 1:n_containers] data(panel, i) using 1:2 with boxes linetype i notitle, \
	for [i = 1:n_containers] data(panel, i) using 1:3:(0):($4 - $3) with vectors heads size screen 0.004, 90 \
		linecolor rgb '#333333' linewidth 1.5 notitle, \
	for [i = 1:n_containers] data(panel, i) using 1:4:(strcol(5)) with labels offset 0, 0.7 \
		font sized(n_containers > 6 ? 10 : 12) notitle
