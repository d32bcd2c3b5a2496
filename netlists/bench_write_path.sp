* bench: a write through DAC and word-line drivers; the bits are set before the word lines open
* The select lines of the DAC come from boosted drivers of their own, which all columns of an array share.
Vdd vdd 0 {supply}
Vh vh 0 {v_boost_high}
Vl vl 0 {v_boost_low}
Vtop top 0 {v_top}
Vbottom bottom 0 {v_bottom}
Vbl bl 0 {v_reference}
Va a 0 pulse(0 {supply} {t_start-edge/2} {edge} {edge} {t_write-edge} 1)
Xdriver a ww wwb vdd vh vl word_line_driver
Xdac d2 d1 d0 d2b d1b d0b wbl top bottom vh vl dac3
Vrw rw 0 0
Vrwb rwb 0 {supply}
Cwbl wbl 0 {c_write_bit_line}
Cww ww 0 {row_load}
Cwwb wwb 0 {row_load}
Xcell wbl ww wwb rw rwb bl vdd 0 sn gain_cell
.ic v(sn)={v_previous}
.save v(sn) v(wbl) v(ww) v(wwb) i(vdd) i(vh) i(vl) i(vtop) i(vbottom)
