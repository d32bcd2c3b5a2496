* bench: one read of a gain cell whose bit line is held at its reference
* v_store stored voltage; t_pulse width of the read pulse between half-way points; the read starts at t_start
* Charge taken off the bit line is -integral i(vbl), positive for a positive weight.
Vdd vdd 0 {supply}
Vbl bl 0 {v_reference}
Vwbl wbl 0 {v_middle}
Vww ww 0 {v_write_off}
Vwwb wwb 0 {supply}
Vrw rw 0 pulse(0 {supply} {t_start-edge/2} {edge} {edge} {t_pulse-edge} 1)
Vrwb rwb 0 pulse({supply} 0 {t_start-edge/2} {edge} {edge} {t_pulse-edge} 1)
Crw rw 0 {c_word_line}
Crwb rwb 0 {c_word_line}
Xcell wbl ww wwb rw rwb bl vdd 0 sn gain_cell
.ic v(sn)={v_store}
.save v(sn) i(vbl) i(vdd) v(rw) i(vrw) v(rwb) i(vrwb)
.meas tran q_source integ i(vbl)
.meas tran q_supply integ i(vdd)
.meas tran v_sn_end find v(sn) at={t_stop-10p}
