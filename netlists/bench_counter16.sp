* bench: the count of one pulse of t_pulse
Vdd vdd 0 {supply}
Vout out 0 pulse(0 {supply} 1n 30p 30p {t_pulse-30p} 1)
Xcount out count energy vdd counter16
.save v(count) v(energy)
