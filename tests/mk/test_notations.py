"""Notations of SIMBAD, the Michigan catalogue, O-star and ultracool-dwarf papers: what each part of them is."""

import numpy as np
import pytest

from skspec.mk import MKType, joint_class, mk_type, parse_mk, spectral_code, temperature_class

# type | temperature class | luminosity class | ? if uncertain | remarks | companion
NOTATIONS = """
O4If+ | O4 | I | | f+ |
O4I(n)f | O4 | I | | (n)f |
O6Ifc | O6 | I | | fc |
O3If* | O3 | I | | f* |
O2-3.5If*/WN | O2-O3.5 | I | | f*/WN |
O2If*/WN5 | O2 | I | | f*/WN5 |
O3If*/WN6-A | O3 | I | | f*/WN6-A |
O5V((f)) | O5 | V | | ((f)) |
O6.5V((f))z | O6.5 | V | | ((f))z |
O9.7IIn | O9.7 | II | | n |
Onfp | O | | | nfp |
O6(n)fp | O6 | | | (n)fp |
O4V((fc)) | O4 | V | | ((fc)) |
O7.5Vz | O7.5 | V | | z |
O6Vzn((f)) | O6 | V | | zn((f)) |
O8.5V: | O8.5 | V | ? | |
O8f?p | O8 | | | f?p |
Of?p | O | | | f?p |
O6.5f?p | O6.5 | | | f?p |
O9.5IIn | O9.5 | II | | n |
O8V+B0V | O8 | V | | | B0V
O8V + B0V | O8 | V | | | B0V
O7V((f))+O9V | O7 | V | | ((f)) | O9V
ON8III((f)) | O8 | III | | N((f)) |
ON9.7Ia+ | O9.7 | Ia+ | | N |
OC9.7Iab | O9.7 | Iab | | C |
O9/B0V | O9-B0 | V | | |
O+O | O | | | | O
O8Iaf | O8 | Ia | | f |
O5Iafpe | O5 | Ia | | fpe |
O4Ief | O4 | I | | ef |
O6e | O6 | | | e |
O9.5Ve | O9.5 | V | | e |
O7Ib(f) | O7 | Ib | | (f) |
O8fpe | O8 | | | fpe |
O6.5Iab:f | O6.5 | Iab | ? | f |
O8.5Ib-II(f) | O8.5 | Ib-II | | (f) |
O9.2IV | O9.2 | IV | | |
O9III/V | O9 | III-V | | |
sdO | sdO | VI | | |
sdO9 | sdO9 | VI | | |
OIII | O | III | | |
O/B | O-B | | | |
OVI | O | VI | | |
OVz | O | V | | z |
O Iafpe | O | Ia | | fpe |
O3V((f+)) | O3 | V | | ((f+)) |
O3.5If*/WN7 | O3.5 | I | | f*/WN7 |
O4If | O4 | I | | f |
O4III(f) | O4 | III | | (f) |
O5:V | O5 | V | ? | |
O5IIIn(f)var | O5 | III | | n(f)var |
O5Vn((f))p | O5 | V | | n((f))p |
O6If+ | O6 | I | | f+ |
O6.5V:n | O6.5 | V | ? | n |
O7IIf | O7 | II | | f |
O7V((f))z | O7 | V | | ((f))z |
O7.5IIIn((f)) | O7.5 | III | | n((f)) |
O8II((f)) | O8 | II | | ((f)) |
O8.5II-III(n)((f))p | O8.5 | II-III | | (n)((f))p |
O9.5II-Ibn | O9.5 | II-Ib | | n |
O9.7Ib-II var | O9.7 | Ib-II | | var |
O9.7Iabe | O9.7 | Iab | | e |
O9.5Ibw | O9.5 | Ib | | w |
ON9.2Ibn | O9.2 | Ib | | Nn |
OC9Vz | O9 | V | | Cz |
O3V | O3 | V | | |
O3If*+O6:V | O3 | I | | f* | O6:V
O7f+WN | O7 | | | f | WN
O8:+O8: | O8 | | ? | | O8:
O9V+... | O9 | V | | | ...
O9.5IVn: | O9.5 | IV | ? | n: |
O9e | O9 | | | e |
O9/B0Iab | O9-B0 | Iab | | |
O9.7II+B0.5:V: | O9.7 | II | | | B0.5:V:
Ofpe/WN9 | O | | | fpe/WN9 |
O6.5Vn((f)) SB2 | O6.5 | V | | n((f)) SB2 |
O5-O6 | O5-O6 | | | |
O6-8V | O6-O8 | V | | |
O5.5ef | O5.5 | | | ef |
O9Ve pec | O9 | V | | e pec |
sdO? | sdO | VI | ? | |
sdO+K0 | sdO | VI | | | K0
sdOp | sdO | VI | | p |
BN1Ia | B1 | Ia | | N |
BC0.7Ia | B0.7 | Ia | | C |
B0Iap | B0 | Ia | | p |
B1.5Ve | B1.5 | V | | e |
B2Vne | B2 | V | | ne |
B0.5IVpe | B0.5 | IV | | pe |
B8Vnn | B8 | V | | nn |
B2(V)nne | B2 | V | ? | nne |
B3Vsh | B3 | V | | sh |
B6Vep-shell | B6 | V | | ep-shell |
B1IV-Ve | B1 | IV-V | | e |
B1IVe+G0III | B1 | IV | | e | G0III
B5Vn: | B5 | V | ? | n: |
B8IV+shell | B8 | IV | | +shell |
B2e+sh | B2 | | | e+sh |
B[e] | B | | | [e] |
B2[e] | B2 | | | [e] |
B0.5[e] | B0.5 | | | [e] |
Bep | B | | | ep |
Be | B | | | e |
B2IV-V(e) | B2 | IV-V | | (e) |
B9 Si | B9 | | | Si |
B8HgMn | B8 | | | HgMn |
B9pSi | B9 | | | pSi |
B7IIIMn | B7 | III | | Mn |
B3VSB | B3 | V | | SB |
B3V SB2 | B3 | V | | SB2 |
B2.5V+B3V | B2.5 | V | | | B3V
B5VSB1 | B5 | V | | SB1 |
B2/3V | B2-B3 | V | | |
B8/9III | B8-B9 | III | | |
B9/A0(III/IV) | B9-A0 | III-IV | ? | |
B1:Vnep | B1 | V | ? | nep |
B1/B2(I) | B1-B2 | I | ? | |
B(e) | B | | | (e) |
B2II-III(n)e | B2 | II-III | | (n)e |
B1Ia+ | B1 | Ia+ | | |
sdB | sdB | VI | | |
sdB+M | sdB | VI | | | M
B5 VAR | B5 | | | VAR |
BIab | B | Iab | | |
BIII | B | III | | |
BIIIe | B | III | | e |
BVne | B | V | | ne |
b2 | B2 | | | |
B2.5 V | B2.5 | V | | |
B0IVpe | B0 | IV | | pe |
B0.2V | B0.2 | V | | |
B0.5:Iab:e | B0.5 | Iab | ? | e |
B1III+B3V: | B1 | III | | | B3V:
B1Ib-Iab | B1 | Ib-Iab | | |
B1V+B8:III | B1 | V | | | B8:III
B2III/IV | B2 | III-IV | | |
B2Ve-shell | B2 | V | | e-shell |
B3Ia | B3 | Ia | | |
B3ne | B3 | | | ne |
B3 He wk | B3 | | | He wk |
B4IV-V | B4 | IV-V | | |
B5:ne | B5 | | ? | ne |
B5Ib/II | B5 | Ib-II | | |
B5V:ep | B5 | V | ? | ep |
B6IIIe+sh | B6 | III | | e+sh |
B7IIIpMn: | B7 | III | ? | pMn: |
B7p Si | B7 | | | p Si |
B8He-weak | B8 | | | He-weak |
B8p | B8 | | | p |
B8:V:pSi | B8 | V | ? | pSi |
B9.5III-IV | B9.5 | III-IV | | |
B9.5:p(SiCrEuSr) | B9.5 | | ? | p(SiCrEuSr) |
B9HgMn | B9 | | | HgMn |
B9IIIp Si | B9 | III | | p Si |
B9Vp: | B9 | V | ? | p: |
B9V+K0III | B9 | V | | | K0III
B9/9.5V | B9-B9.5 | V | | |
B9e... | B9 | | | e... |
B9III (p Si) | B9 | III | | (p Si) |
BC2Iab | B2 | Iab | | C |
BN0.5Ia | B0.5 | Ia | | N |
B0Ia0 | B0 | Ia+ | | |
B1Ia0ep | B1 | Ia+ | | ep |
B2Ia-0e | B2 | Ia+ | | e |
B1Vp(e)sh | B1 | V | | p(e)sh |
B2/5III | B2-B5 | III | | |
B3/5III/V | B3-B5 | III-V | | |
B8V(n) | B8 | V | | (n) |
B8Iae | B8 | Ia | | e |
B2.5:V:nne | B2.5 | V | ? | nne |
B0.5IVne | B0.5 | IV | | ne |
B3:Vn+sh | B3 | V | ? | n+sh |
B9IV/V: | B9 | IV-V | ? | |
B2 HeS | B2 | | | HeS |
B3He-rich | B3 | | | He-rich |
B8II/III(pSi) | B8 | II-III | | (pSi) |
B9 Ap Si | B9 | | | Ap Si |
cB8 | cB8 | I | | |
sdB1 | sdB1 | VI | | |
sdB: | sdB | VI | ? | |
sdB+ | sdB | VI | | | ...
sdBV | sdB | VI | | V |
sdBVr | sdB | VI | | Vr |
sdB2.5VII:He4 | sdB2.5 | VI | ? | VII:He4 |
sdB0N | sdB0 | VI | | N |
sd:B | sdB | VI | ? | |
Am | A | | | m |
Ap SrCrEu | A | | | p SrCrEu |
ApSrCrEu | A | | | pSrCrEu |
A0pSiCr | A0 | | | pSiCr |
A2VpSrCrEu | A2 | V | | pSrCrEu |
Ap Si | A | | | p Si |
kA2hA5mF2 | A5 | | | kA2mF2 |
kA2hA5mF2(III) | A5 | III | ? | kA2mF2 |
kA5hA8mF2 III | A8 | III | | kA5mF2 |
kA2.5hA3mA7Va | A3 | Va | | kA2.5mA7 |
A1m | A1 | | | m |
A1mA5-F2 | A1 | | | mA5-F2 |
A3(m)A5-A9 | A3 | | | (m)A5-A9 |
A0Vs | A0 | V | | s |
A0Vas | A0 | Va | | s |
A0Va | A0 | Va | | |
A1 Vann | A1 | Va | | nn |
A0V(He) | A0 | V | | (He) |
A(e) | A | | | (e) |
Am: | A | | ? | m: |
A5m | A5 | | | m |
Amv | A | | | mv |
A2m | A2 | | | m |
hA5kA2mF2 | A5 | | | kA2mF2 |
A0 VSB | A0 | | | VSB |
A5V+comp | A5 | V | | | comp
A1V (λ Boo) | A1 | V | | (λ Boo) |
A STAR | A | | | STAR |
A-type star | A | | | -type star |
A/B | A-B | | | |
A+B | A | | | | B
AVI | A | VI | | |
AIV | A | IV | | |
A VARIABLE | A | | | VARIABLE |
A0 | A0 | | | |
Am star | A | | | m star |
AVm | A | V | | m |
AVp | A | V | | p |
AVn | A | V | | n |
AIIISi | A | III | | Si |
A V | A | V | | |
A0 V | A0 | V | | |
A0III/IV | A0 | III-IV | | |
A0IIIp:(Hg) | A0 | III | ? | p:(Hg) |
A0IVn | A0 | IV | | n |
A0V+F | A0 | V | | | F
A0Vp(SrCr) | A0 | V | | p(SrCr) |
A0Vnn | A0 | V | | nn |
A0/1IV/V | A0-A1 | IV-V | | |
A1IV-Vs | A1 | IV-V | | s |
A1Vm | A1 | V | | m |
A1Va: | A1 | Va | ? | |
A2Iabe | A2 | Iab | | e |
A2IVm | A2 | IV | | m |
A2Vp... | A2 | V | | p... |
A2: | A2 | | ? | |
A2/3III | A2-A3 | III | | |
A3IV+F6: | A3 | IV | | | F6:
A3V:+K0III | A3 | V | ? | | K0III
A3m... | A3 | | | m... |
A5/7 | A5-A7 | | | |
A5IV/V+F/G | A5 | IV-V | | | F/G
A7:V:n | A7 | V | ? | n |
A7Vn kA6 | A7 | V | | n kA6 |
A8Vm | A8 | V | | m |
A9IIIbp | A9 | IIIb | | p |
A9/F0IV/V | A9-F0 | IV-V | | |
A0p Cr-Eu | A0 | | | p Cr-Eu |
A0spe... | A0 | | | spe... |
A:p: | A | | ? | p: |
A... | A | | | ... |
A+... | A | | | | ...
Ae | A | | | e |
A0 II-III | A0 | II-III | | |
A2 Ia+ | A2 | Ia+ | | |
Am(A5/F0) | A | | | m(A5/F0) |
A1m(A4/F0) | A1 | | | m(A4/F0) |
A2(m) | A2 | | | (m) |
A2mA2-A8 | A2 | | | mA2-A8 |
A3mA5-F0 | A3 | | | mA5-F0 |
kA1.5hA4VmA8 | A4 | V | | kA1.5mA8 |
kA4hA7IVmF0 | A7 | IV | | kA4mF0 |
kA6hA9mF2 III | A9 | III | | kA6mF2 |
kB8hA0mA5 V | A0 | V | | kB8mA5 |
kA0hA1 Va mA2 | A1 | Va | | kA0 mA2 |
A0 Si | A0 | | | Si |
A5 Sr | A5 | | | Sr |
A4m delta Del | A4 | | | m delta Del |
cA2 | cA2 | I | | |
sdA2 | sdA2 | VI | | |
dA6 | dA6 | V | | |
Fm | F | | | m |
F8 IN | F8 | | | IN |
F8VCH-0.3 | F8 | V | | CH-0.3 |
F7V gwF5mF3 | F7 | V | | gwF5mF3 |
F7V kF5mF3 | F7 | V | | kF5mF3 |
F0VpSr | F0 | V | | pSr |
F8Ia+ | F8 | Ia+ | | |
F8Ia0 | F8 | Ia+ | | |
F2III-IV (δ Del) | F2 | III-IV | | (δ Del) |
F0V lB | F0 | V | | lB |
F5: | F5 | | ? | |
F5... | F5 | | | ... |
F3/5V | F3-F5 | V | | |
F6/F7V | F6-F7 | V | | |
F-type | F | | | -type |
FVI | F | VI | | |
FV? | F | V | ? | |
F1II-III(δ Del) | F1 | II-III | | (δ Del) |
F0: | F0 | | ? | |
F0III+A | F0 | III | | | A
F0IIIm | F0 | III | | m |
F0V(n) | F0 | V | | (n) |
F0VkA8mA8 | F0 | V | | kA8mA8 |
F2.5III: | F2.5 | III | ? | |
F2IIIkA9mF0 | F2 | III | | kA9mF0 |
F2p(Sr) | F2 | | | p(Sr) |
F2V:+? | F2 | V | ? | | ?
F3(II) | F3 | II | ? | |
F3V+G0V | F3 | V | | | G0V
F3/5IV/V | F3-F5 | IV-V | | |
F4-5 V | F4-F5 | V | | |
F5Iab:e | F5 | Iab | ? | e |
F5.5IV-V | F5.5 | IV-V | | |
F5IV-V+... | F5 | IV-V | | | ...
F5-6V | F5-F6 | V | | |
F6IVwvar | F6 | IV | | wvar |
F6Vwl | F6 | V | | wl |
F6V... | F6 | V | | ... |
F7(III) | F7 | III | ? | |
F7/G0 | F7-G0 | | | |
F8II-IIIe | F8 | II-III | | e |
F8Ve | F8 | V | | e |
F8Iavar | F8 | Ia | | var |
F8/G0V+A | F8-G0 | V | | | A
F8wl | F8 | | | wl |
F9V CH-0.4 | F9 | V | | CH-0.4 |
F9VFe-1.4CH-0.7 | F9 | V | | Fe-1.4CH-0.7 |
F: | F | | ? | |
Fp | F | | | p |
F8/G2I | F8-G2 | I | | |
F8Ib-II | F8 | Ib-II | | |
F5Ve... | F5 | V | | e... |
F9:V | F9 | V | ? | |
F5V SB | F5 | V | | SB |
F7 Vb | F7 | Vb | | |
F2 IIp | F2 | II | | p |
F3w V | F3 | V | | w |
F8 Ib var | F8 | Ib | | var |
dF5 | dF5 | V | | |
cF8 | cF8 | I | | |
sdF8 | sdF8 | VI | | |
G2Var | G2 | | | Var |
G2 Var | G2 | | | Var |
G2var | G2 | | | var |
G0 VB | G0 | | | VB |
G5 IC 4665 | G5 | | | IC 4665 |
G5Ib-II | G5 | Ib-II | | |
G8IV/V | G8 | IV-V | | |
G2(V) | G2 | V | ? | |
G2V: | G2 | V | ? | |
G2V? | G2 | V | ? | |
G2:V | G2 | V | ? | |
G2: | G2 | | ? | |
G2? | G2 | | ? | |
G2?V | G2 | V | ? | |
G5comp | G5 | | | comp |
G5 comp | G5 | | | comp |
G5III comp | G5 | III | | comp |
G5e | G5 | | | e |
G5p | G5 | | | p |
G5n | G5 | | | n |
G5ss | G5 | | | ss |
G5III SB2 | G5 | III | | SB2 |
G5 SB | G5 | | | SB |
G8IIIBa1 | G8 | III | | Ba1 |
G9IIIaCN1.5 | G9 | IIIa | | CN1.5 |
G8III-IVFe-0.5 | G8 | III-IV | | Fe-0.5 |
G8IIIab | G8 | IIIab | | |
G0-1Ia | G0-G1 | Ia | | |
G8/K0III+A/F | G8-K0 | III | | | A/F
G5III+A5V | G5 | III | | | A5V
G8/K0w | G8-K0 | | | w |
G3w | G3 | | | w |
GIb | G | Ib | | |
G V | G | V | | |
GIV | G | IV | | |
GIII-IV | G | III-IV | | |
GIII+A | G | III | | | A
GIIIBa | G | III | | Ba |
GIab-Ib | G | Iab-Ib | | |
GV: | G | V | ? | |
G IV SB | G | IV | | SB |
G8--K0III | G8-K0 | III | | |
G2 V | G2 | V | | |
G0CH+ | G0 | | | CH+ |
G0Ia0 | G0 | Ia+ | | |
G0II-III+A | G0 | II-III | | | A
G0III:Ba | G0 | III | ? | Ba |
G0VmF5 | G0 | V | | mF5 |
G0V:wl | G0 | V | ? | wl |
G0wF8V | G0 | | | wF8V |
G0-G5 | G0-G5 | | | |
G0-K0 | G0-K0 | | | |
G0e | G0 | | | e |
G0? | G0 | | ? | |
G1V-VI | G1 | V-VI | | |
G1.5V | G1.5 | V | | |
G1:III | G1 | III | ? | |
G2Ib-II | G2 | Ib-II | | |
G2IV(e) | G2 | IV | | (e) |
G2V+K1V | G2 | V | | | K1V
G2-3V | G2-G3 | V | | |
G3Ib/II | G3 | Ib-II | | |
G3V... | G3 | V | | ... |
G3/5V(w) | G3-G5 | V | | (w) |
G4-M3Ia | G4-M3 | Ia | | |
G5:III | G5 | III | ? | |
G5Ibp | G5 | Ib | | p |
G5IIe | G5 | II | | e |
G5II:Ba | G5 | II | ? | Ba |
G5IIIbCN-3CH1 | G5 | IIIb | | CN-3CH1 |
G5III+F | G5 | III | | | F
G5IVw | G5 | IV | | w |
G5V+G5V | G5 | V | | | G5V
G5/6V | G5-G6 | V | | |
G5/8III+A | G5-G8 | III | | | A
G5pec | G5 | | | pec |
G5comp. | G5 | | | comp. |
G6:III | G6 | III | ? | |
G6IIIp(Ba) | G6 | III | | p(Ba) |
G6V(k) | G6 | V | | (k) |
G7IIIFe-1 | G7 | III | | Fe-1 |
G8IIIa | G8 | IIIa | | |
G8IIIbFe-0.5 | G8 | IIIb | | Fe-0.5 |
G8III:p(CN) | G8 | III | ? | p(CN) |
G8III-IV: | G8 | III-IV | ? | |
G8:III:+F3:V | G8 | III | ? | | F3:V
G8/K0(IV) | G8-K0 | IV | ? | |
G8/K0IV+G | G8-K0 | IV | | | G
G8Vp | G8 | V | | p |
G9.5IIIbCN-0.5CH-0.5 | G9.5 | IIIb | | CN-0.5CH-0.5 |
G9IIIFe-0.5 | G9 | III | | Fe-0.5 |
G9-K0V | G9-K0 | V | | |
G III | G | III | | |
G:V | G | V | ? | |
G: III | G | III | ? | |
G/K | G-K | | | |
GIab: | G | Iab | ? | |
G wk | G | | | wk |
Gp | G | | | p |
G8IIICNII | G8 | III | | CNII |
G8IIIBa0.1CNIV | G8 | III | | Ba0.1CNIV |
dG2 | dG2 | V | | |
gG5 | gG5 | III | | |
sdG0 | sdG0 | VI | | |
sdG5: | sdG5 | VI | ? | |
sdK7 | sdK7 | VI | | |
K5 Vis | K5 | | | Vis |
K0 IR | K0 | | | IR |
K2 VIS | K2 | | | VIS |
K0IV-V | K0 | IV-V | | |
K0IIICN1 | K0 | III | | CN1 |
K0IIIb CN-1 | K0 | IIIb | | CN-1 |
K2III Ba0.4 | K2 | III | | Ba0.4 |
K1.5IIIFe-0.5 | K1.5 | III | | Fe-0.5 |
K2Vk: | K2 | V | ? | k: |
K4+III | K4+ | III | | |
K0-III | K0- | III | | |
K0IIIa-b | K0 | IIIa-IIIb | | |
K5Ve | K5 | V | | e |
K0III+... | K0 | III | | | ...
K0/1V | K0-K1 | V | | |
K1/2III/IV | K1-K2 | III-IV | | |
K giant | K | | | giant |
KII/III | K | II-III | | |
K III | K | III | | |
K-giant | K | | | -giant |
KIIICN | K | III | | CN |
k5iii | K5 | III | | |
K V+M V | K | V | | | M V
K0III$-$IV | K0 | III-IV | | |
K0II-IIICN1 | K0 | II-III | | CN1 |
K0IIIBa0.5 | K0 | III | | Ba0.5 |
K0IIICN-2 | K0 | III | | CN-2 |
K0III+A0V | K0 | III | | | A0V
K0IIIb CN 1 | K0 | IIIb | | CN 1 |
K0IV:e | K0 | IV | ? | e |
K0Ve | K0 | V | | e |
K0/1III | K0-K1 | III | | |
K0/2III+(F) | K0-K2 | III | | | (F)
K0/5 | K0-K5 | | | |
K0p... | K0 | | | p... |
K0.5IIIb | K0.5 | IIIb | | |
K1IbCa1Ba0.2 | K1 | Ib | | Ca1Ba0.2 |
K1IIICN1.5Ca1 | K1 | III | | CN1.5Ca1 |
K1III(p) | K1 | III | | (p) |
K1.5III Fe-0.5 | K1.5 | III | | Fe-0.5 |
K1IV(e) | K1 | IV | | (e) |
K1V(k) | K1 | V | | (k) |
K1/2III+A | K1-K2 | III | | | A
K2II-III: | K2 | II-III | ? | |
K2III(CN) | K2 | III | | (CN) |
K2IIIb+F | K2 | IIIb | | | F
K2IVeva | K2 | IV | | eva |
K2.5III: | K2.5 | III | ? | |
K2V+M | K2 | V | | | M
K3III:p | K3 | III | ? | p |
K3Ib-II | K3 | Ib-II | | |
K3-5V | K3-K5 | V | | |
K3:Ve | K3 | V | ? | e |
K3-M0 | K3-M0 | | | |
K4III:Ba2 | K4 | III | ? | Ba2 |
K4Ve+K7Ve | K4 | V | | e | K7Ve
K4.5Ib-II | K4.5 | Ib-II | | |
K5III-M0III | K5-M0 | III | | |
K5-M5 | K5-M5 | | | |
K5V(e) | K5 | V | | (e) |
K5Vke | K5 | V | | ke |
K6V | K6 | V | | |
K7Vk | K7 | V | | k |
K7.0V | K7 | V | | |
K7V+M0V | K7 | V | | | M0V
K7/M0III | K7-M0 | III | | |
K8V | K8 | V | | |
K9 | K9 | | | |
K: | K | | ? | |
KIII... | K | III | | ... |
KV:e | K | V | ? | e |
K5+... | K5 | | | | ...
K2 IIIvar | K2 | III | | var |
K3III (var) | K3 | III | | (var) |
K1III SB | K1 | III | | SB |
K7 pre | K7 | | | pre |
dK5 | dK5 | V | | |
dK7e | dK7 | V | | e |
gK3+ | gK3 | III | | | ...
sdK2 | sdK2 | VI | | |
M9/L0 | M9 | | | /L0 |
M9-L1 | M9 | | | -L1 |
M8.5 | M8.5 | | | |
M9.5V | M9.5 | V | | |
sdM5 | sdM5 | VI | | |
esdM5.5 | esdM5.5 | VI | | |
usdM7 | usdM7 | VI | | |
dM4.5e | dM4.5 | V | | e |
M8γ | M8 | | | γ |
M7β | M7 | | | β |
M9 gamma | M9 | | | gamma |
M8 pec | M8 | | | pec |
M6V | M6 | V | | |
M8Ve | M8 | V | | e |
M4.5+M5 | M4.5 | | | | M5
M3.5V | M3.5 | V | | |
M7.5e | M7.5 | | | e |
M6.5+T8 | M6.5 | | | | T8
M5 IR | M5 | | | IR |
M2Ia/ab | M2 | Ia-Iab | | |
M2Iab/b | M2 | Iab-Ib | | |
M3III: | M3 | III | ? | |
M3e | M3 | | | e |
M3-4 | M3-M4 | | | |
M5e-M7IIIe | M5-M7 | III | | e |
M7:IIIep | M7 | III | ? | ep |
M5II-III | M5 | II-III | | |
M10III | M10 | III | | |
M10+III | M10+ | III | | |
Mpe | M | | | pe |
M0.5V | M0.5 | V | | |
M1.5Iab-Ib | M1.5 | Iab-Ib | | |
M1-2Ia-Iab | M1-M2 | Ia-Iab | | |
M2I-II | M2 | I-II | | |
MII | M | II | | |
MIe | M | I | | e |
M GIANT | M | | | GIANT |
M dwarf | M | | | dwarf |
M star | M | | | star |
MVI | M | VI | | |
M VI | M | VI | | |
MIVe | M | IV | | e |
M-giant | M | | | -giant |
M2-9 | M2-M9 | | | |
M IIIe | M | III | | e |
M V star | M | V | | star |
MIII: | M | III | ? | |
M4+/-0.5 | M4 | | ? | ±0.5 |
M2.5 V | M2.5 | V | | |
M0III: | M0 | III | ? | |
M0Ia-Iab | M0 | Ia-Iab | | |
M0V+M1V | M0 | V | | | M1V
M0.0V | M0 | V | | |
M0:Ve | M0 | V | ? | e |
M0/1III | M0-M1 | III | | |
M0 IIIvar | M0 | III | | var |
M1.5Iab-Ib+B2.5V | M1.5 | Iab-Ib | | | B2.5V
M1Iab-b | M1 | Iab-Ib | | |
M1Ib var | M1 | Ib | | var |
M1III+A | M1 | III | | | A
M1Ve+M3Ve | M1 | V | | e | M3Ve
M1.0 | M1 | | | |
M1/2 | M1-M2 | | | |
M10 | M10 | | | |
M2IIIab | M2 | IIIab | | |
M2Ia-ab | M2 | Ia-Iab | | |
M2.5II-IIIe | M2.5 | II-III | | e |
M2epIa-Iab | M2 | Ia-Iab | | ep |
M2Ve... | M2 | V | | e... |
M2+V | M2+ | V | | |
M2e-M8 | M2 | | | e-M8 |
M3.5Ve | M3.5 | V | | e |
M3S | M3 | | | S |
M3IIIvar | M3 | III | | var |
M3III+WD | M3 | III | | | WD
M3-4III | M3-M4 | III | | |
M3.0 | M3 | | | |
M4e | M4 | | | e |
M4V+DA | M4 | V | | | DA
M4.0Ve+M5 | M4 | V | | e | M5
M4:V | M4 | V | ? | |
M4/5III | M4-M5 | III | | |
M4.5: | M4.5 | | ? | |
M4S | M4 | | | S |
M5IIIe | M5 | III | | e |
M5Ib-II | M5 | Ib-II | | |
M5e-M9e | M5-M9 | | | e |
M5.0V | M5 | V | | |
M5/6 | M5-M6 | | | |
M5V SB2 | M5 | V | | SB2 |
M5.5Ve flare | M5.5 | V | | e flare |
M6e-M9 | M6 | | | e-M9 |
M6III: | M6 | III | ? | |
M6-7 | M6-M7 | | | |
M6.5IIIe | M6.5 | III | | e |
M7e | M7 | | | e |
M7IIIpev | M7 | III | | pev |
M7.5-M8 | M7.5-M8 | | | |
M8V: | M8 | V | ? | |
M8 beta | M8 | | | beta |
M8.5V+M9V | M8.5 | V | | | M9V
M9III | M9 | III | | |
M9: | M9 | | ? | |
M9 pec | M9 | | | pec |
M9.0V | M9 | V | | |
M9.5 β | M9.5 | | | β |
M:e | M | | ? | e |
Me | M | | | e |
Mep | M | | | ep |
Mv | M | | | v |
M V: | M | V | ? | |
MIab | M | Iab | | |
M0Iab: | M0 | Iab | ? | |
esdM0 | esdM0 | VI | | |
sdM1.5: | sdM1.5 | VI | ? | |
sdM3 pec | sdM3 | VI | | pec |
usdM5.5 | usdM5.5 | VI | | |
dM0 | dM0 | V | | |
dM1.5e | dM1.5 | V | | e |
dM3.5: | dM3.5 | V | ? | |
dMe | dM | V | | e |
dM: | dM | V | ? | |
gM2: | gM2 | III | ? | |
gM5e | gM5 | III | | e |
cM2 | cM2 | I | | |
sdM | sdM | VI | | |
dM4.5e+dM5 | dM4.5 | V | | e | dM5
d M2 | dM2 | V | | |
"""

NOT_MK_TYPES = """
S5,2 | S | S? | C-N5 C2 6 | C5,4 | CEMP | CH | R5 | N | C | SC | MS | DA | DZA | DBA3 | DA2.9 | DC | DQ | WD | sdOB
CV | WN5 | WC7+O5V | WN6h | WR | WO2 | L1/L3 | L1 | L4blue | T6.5 | Y0 | L0γ | IIIa | MISSING | BINARY | GIANT
FIELD | OBJECT | AGN | GALAXY | KNOWN | FAINT | OTHER | MIRA | MIXED | AVERAGE | OVERLAP | MISC | BVRI
KIC 8462852 | GVARIABLE | MASTER | FAIL | GOOD | BAD | G BAND | G band | G-band | B-V | G-R | A- | B- | A.N.
BIVOUAC | FIVE | FIX | GIRL | KIVA | AVERY | GAIA | MIRI | OIL | VARIABLE | FIRST | MIDDLE | [O III] | K2-18
M1-67 | G1.9+0.3 | B2 1215+30 | A0620-00 | F606W | M31 | Gen | Men | NONE | nan | None | MIIIS | Gal | GALACTIC
AI Vel | FI Com | Mstar | Giant | Field | Binary | Faint | Known | bin | giant | g | OUTLIER | MULTIPLE | BLEND
AMBIGUOUS | FIXED | AVAILABLE | OVERSCAN | GIVEN | KIND | MIN | AIR | BIN | BIAS | OII] 3727 | AIRMASS | Open
Keep | One | Own | Off | Gem | Amp | Been | OIII] 5007
"""


def lines(text):
    return [[part.strip() for part in line.split("|")] for line in text.strip().splitlines()]


def ends(first, last):
    return first if not last else f"{first}-{last}"


@pytest.mark.parametrize("row", lines(NOTATIONS), ids=lambda row: row[0])
def test_notation(row):
    text, temperature, luminosity, uncertain, remarks, companion = row
    star = mk_type(text)
    number = lambda subtype: "" if subtype is None else f"{subtype:g}"  # noqa: E731
    first = f"{star.prefix}{star.temperature_class}{number(star.subtype)}{star.shade}"
    last = f"{star.end_temperature_class or ''}{number(star.end_subtype)}"
    assert ends(first, last) == temperature
    assert ends(star.luminosity_class or "", star.end_luminosity_class) == luminosity
    assert (star.uncertain, star.remarks, star.companion) == (uncertain == "?", remarks, companion)
    assert mk_type(str(star)) == star


@pytest.mark.parametrize("text", [word for row in lines(NOT_MK_TYPES) for word in row])
def test_not_a_type(text):
    assert mk_type(text) is None
    assert joint_class([text]).tolist() == temperature_class([text]).tolist() == [""]


@pytest.mark.parametrize("dash", [*"\u2010\u2011\u2012\u2013\u2014\u2212\u00ad\ufe63\uff0d", "--", "$-$"])
@pytest.mark.parametrize(
    "text", ["K0III-IV", "G8-K1III", "M0-M2", "K5-7V", "M2Ia-Iab", "F5Ib-G1Ib", "B9.5-A0 V"]
)
def test_dashes_are_hyphens(text, dash):
    assert mk_type(text.replace("-", dash)) == mk_type(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("G2\u00a0V", "G2 V"),
        ("G2\u2009V", "G2 V"),
        ("G2\u200bV", "G2V"),
        ("\ufeffG2V", "G2V"),
        ("Ｇ２Ｖ", "G2V"),
        ("G2Ⅴ", "G2V"),
        ("K0Ⅲ–Ⅳ", "K0III-IV"),
        ("O4If⁺", "O4If+"),
        ("O5V（（f））", "O5V((f))"),
        ("G8∕K0III", "G8/K0III"),
        ("G8⁄K0III", "G8/K0III"),
        ("F8V＋G0V", "F8V+G0V"),
        ("G2V：", "G2V:"),
        ("G2V∶", "G2V:"),
        ("G2V？", "G2V?"),
        ("B2·5V", "B2.5V"),
        ("B2½V", "B2.5V"),
        ("O3If∗", "O3If*"),
        ("M4 +/- 0.5 V", "M4 ± 0.5 V"),
        ("K0III\u00ad–IV".replace("\u00ad", ""), "K0III-IV"),
    ],
)
def test_signs_of_other_codings(text, plain):
    assert mk_type(text) == mk_type(plain)
    assert mk_type(text.encode()) == mk_type(plain)


def test_a_range_with_an_en_dash_has_its_mean():
    assert mk_type("K0III–IV") == MKType("K", 0, "III", end_luminosity_class="IV")
    assert spectral_code(["G8–K1III"]).tolist() == [49.5]
    assert mk_type(b"K0III\x96IV") == mk_type("K0III-IV")  # the dash of Windows
    assert mk_type("M4.5±0.5V") == MKType("M", 4.5, "V", uncertain=True, remarks="±0.5")


def columns_with_a_missing_type():
    yield ["G2V", float("nan"), "K0III"]
    yield ["G2V", np.ma.masked, "K0III"]
    yield np.array(["G2V", None, "K0III"], dtype=object)
    yield np.array([b"G2V", b"", b"K0III"])
    yield np.ma.array(["G2V", "M0V", "K0III"], mask=[0, 1, 0])
    pandas = pytest.importorskip("pandas")
    for dtype in ("object", "str", "string", "category"):
        yield pandas.Series(["G2V", None, "K0III"], dtype=dtype)


def test_a_missing_type_is_no_type():
    for column in columns_with_a_missing_type():
        assert joint_class(column).tolist() == ["GV", "", "KIII"]
        assert temperature_class(column).tolist() == ["G", "", "K"]
        np.testing.assert_array_equal(spectral_code(column), [42, np.nan, 50])
        assert parse_mk(column)["type"].tolist() == ["G2V", "", "K0III"]
    assert joint_class(np.full(2, np.nan)).tolist() == ["", ""]
    for missing in (None, np.nan, np.ma.masked, "", b"", np.datetime64("NaT")):
        assert mk_type(missing) is None
