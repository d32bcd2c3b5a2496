* bench: noise of a converter: its comparator on the point of deciding (the output fed back), its ramp into the reference
Vdd vdd 0 {supply}
Von on 0 {supply}
Vin inp 0 dc {v_reference+v_trim} ac 1
Xc inp fb q on nb vdd comparator
Vfb fb xc.o 0
Xr p pb vdd vdd pfet w={w_ramp} l={l_ramp}
Xs hold 0 p vdd pfet w={w_switch} l={logic_l}
Vhold hold 0 {v_reference}
Hramp ramp 0 Vhold 1
