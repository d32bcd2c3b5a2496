* bench: a gain cell that is neither read nor written, for its retention
* The settings below are what makes leakage visible: the default gmin alone would discharge the node in 2 ms.
Vdd vdd 0 {supply}
Vbl bl 0 {v_reference}
Vwbl wbl 0 {v_middle}
Vww ww 0 {v_write_off}
Vwwb wwb 0 {supply}
Vrw rw 0 0
Vrwb rwb 0 {supply}
Xcell wbl ww wwb rw rwb bl vdd 0 sn gain_cell
.options gmin=1e-20 abstol=1e-17 chgtol=1e-19
.ic v(sn)={v_store}
.save v(sn)
.meas tran v_cell find v(sn) at={t_stop-10p}
