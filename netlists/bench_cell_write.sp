* bench: one write of a gain cell through its boosted write word lines
* v_drive level driven; v_previous content before; the write bit line returns to v_middle after the word lines close
Vdd vdd 0 {supply}
Vbl bl 0 {v_reference}
Vwbl wbl 0 pwl(0 {v_middle} 0.5n {v_middle} 0.6n {v_drive} {t_start+t_write+0.5n} {v_drive} {t_start+t_write+0.6n} {v_middle})
Vww ww 0 pulse({v_write_off} {v_boost_high} {t_start-edge/2} {edge} {edge} {t_write-edge} 1)
Vwwb wwb 0 pulse({supply} {v_boost_low} {t_start-edge/2} {edge} {edge} {t_write-edge} 1)
Vrw rw 0 0
Vrwb rwb 0 {supply}
Cwbl wbl 0 {c_write_bit_line}
Cww ww 0 {c_word_line}
Cwwb wwb 0 {c_word_line}
Xcell wbl ww wwb rw rwb bl vdd 0 sn gain_cell
.ic v(sn)={v_previous}
.save v(sn) i(vdd) v(wbl) i(vwbl) v(ww) i(vww) v(wwb) i(vwwb)
.meas tran v_written find v(sn) at={t_start+t_write-edge}
.meas tran v_stored find v(sn) at={t_stop-10p}
