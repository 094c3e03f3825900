# SPDX-License-Identifier: GPL-2.0
# The common parts of all pictures: style, header, notes. The scripts, called as
#   gnuplot -c SCRIPT DATA-FOLDER PICTURE svg|png
# load this file after they have loaded facts.gp of the data folder, written by dsharness/plot, and set key_width and
# key_points.

width = 1200
line_height = 20
header = 52 + line_height * (n_notes + key_rows) + 14
footer = 14 + line_height * n_footnotes
rows = (n_panels + columns - 1) / columns
height = header + panel_height * rows + footer

font = 'DejaVu Sans'
if (kind eq 'svg') {
	eval sprintf("set terminal svg size %d,%d dynamic background rgb 'white' font '%s,13' noenhanced", width, height, font)
} else {
	eval sprintf("set terminal pngcairo size %d,%d background rgb 'white' font '%s,10' noenhanced", width, height, font)
}
# Font sizes are pixels in SVG and points in PNG. Only PNG selects a bold face by the name of the font.
pt = kind eq 'svg' ? 1.0 : 10.0 / 13
sized(size) = sprintf('%s,%.1f', font, size * pt)
heading(size) = sprintf('%s%s,%.1f', font, (kind eq 'svg' ? '' : ':Bold'), size * pt)
point_size = kind eq 'svg' ? 0.8 : 1.2
set output picture

# The palette of Okabe and Ito, which colour-blind people can distinguish, followed by Tol's dark colours: ten colours for
# containers, each with a shape. The last five have dashed lines and lighter bars with an edge. Network devices have three
# shades of grey.
n_colours = 13
array colours[n_colours] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#882255', '#8A7A00', \
	'#332288', '#7B4B2A', '#222222', '#9A9A9A', '#555555']
array shapes[n_colours] = [7, 5, 9, 13, 11, 15, 6, 4, 8, 12, 7, 5, 9]
place(style) = (style - 1) % n_colours + 1
is_later(style) = place(style) > 5 && place(style) <= 10
do for [i = 1:2 * n_colours] {
	set linetype i linecolor rgb colours[place(i)] linewidth 2 pointtype shapes[place(i)] pointsize point_size
	if (is_later(i)) { set linetype i dashtype (9, 4) } else { set linetype i dashtype solid }
}

colour(i) = colours[place(styles[i])]
# Fills of the bar that must not be compared and of the later five colours, and the line of the level to compare with.
uncompared_fill = 'transparent pattern 4'
later_fill = 'solid 0.35 border linecolor rgb colour(i)'
mark_line = "linecolor rgb '#111111' linewidth 2 dashtype (8, 5)"

set encoding utf8
set border 3 linecolor rgb '#555555'
set grid xtics ytics linecolor rgb '#E2E2E2' linewidth 1 linetype 1 dashtype 1
set tics nomirror out scale 0.6 textcolor rgb '#333333'

x_at(pixel) = real(pixel) / width
y_at(pixel) = 1.0 - real(pixel) / height

# Title, notes and footnotes. The rows of the key are below the notes.
set label 1 title at screen x_at(30), screen y_at(28) left font heading(19)
do for [i = 1:n_notes] {
	set label (1 + i) notes[i] at screen x_at(30), screen y_at(36 + line_height * i) left \
		font sized(13) textcolor rgb '#444444'
}
do for [i = 1:n_footnotes] {
	set label (40 + i) footnotes[i] at screen x_at(30), screen y_at(height - footer + line_height * (i - 0.2)) left \
		font sized(13) textcolor rgb '#A03000'
}
# The key, once for all panels: a sample and a name per entry, at the positions that dsharness/plot computed.
unset key
key_y(i) = y_at(header - 20 - line_height * (key_rows - 1 - key_row[i]))
do for [i = 1:n_keys] {
	if (i > n_containers) {
		set arrow (100 + i) from screen x_at(key_x[i]), screen key_y(i) to screen x_at(key_x[i] + 34), screen key_y(i) \
			nohead @mark_line
	} else { if (!key_points && is_later(styles[i]) && i != uncompared) {
		set object (100 + i) rectangle from screen x_at(key_x[i]), screen (key_y(i) - 6.0 / height) \
			to screen x_at(key_x[i] + 34), screen (key_y(i) + 6.0 / height) \
			fillstyle solid 0.35 border linecolor rgb colour(i) fillcolor rgb colour(i) linewidth 1.5
	} else { if (i == uncompared) {
		set object (100 + i) rectangle from screen x_at(key_x[i]), screen (key_y(i) - 6.0 / height) \
			to screen x_at(key_x[i] + 34), screen (key_y(i) + 6.0 / height) \
			fillstyle @uncompared_fill fillcolor rgb colour(i) linewidth 1
	} else {
		set arrow (100 + i) from screen x_at(key_x[i]), screen key_y(i) to screen x_at(key_x[i] + 34), screen key_y(i) \
			nohead linetype styles[i] linewidth key_width
		if (key_points) {
			set label (100 + i) '' at screen x_at(key_x[i] + 17), screen key_y(i) point linetype styles[i]
		}
	} } }
	set label (200 + i) keys[i] at screen x_at(key_x[i] + 42), screen key_y(i) left font sized(14)
}

# Sets the margins of panel number `panel`.
place_panel = ' \
	row = (panel - 1) / columns; \
	left = width * lefts[panel]; right = left + width * shares[panel]; top = header + row * panel_height; \
	set lmargin at screen x_at(left + 88); set rmargin at screen x_at(right - 24); \
	set tmargin at screen y_at(top + 34); set bmargin at screen y_at(top + panel_height - 70)'
