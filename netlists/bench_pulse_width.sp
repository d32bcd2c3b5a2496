* bench: one pulse of a row; code from 0 to 15; the timing lines are ideal and t_step apart
Vdd vdd 0 {supply}
Xgen p0 p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 p11 p12 p13 p14 p15 d3 d2 d1 d0 rw rwb vdd pulse_width_generator
Crw rw 0 {rows_load}
Crwb rwb 0 {rows_load}
.save v(rw) v(rwb) i(vdd)
