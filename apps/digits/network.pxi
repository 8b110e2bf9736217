; A network of 3 layers, 64 to 256 to 128 to 10.
;
;     network.input = ...               ; X n x 64
;     call network
;     ... network.output                ; X n x 10

include "nn.pxi"

w_layer_0 : Q scale 0.006817653775215149 offset -1.05254065990448 = file("w_layer_0.npy")
layer_0_bias : X = file("layer_0_bias.npy")
w_layer_1 : Q scale 0.007317875511944294 offset -0.9873435497283936 = file("w_layer_1.npy")
layer_1_bias : X = file("layer_1_bias.npy")
w_layer_2 : Q scale 0.007410919759422541 offset -1.160439372062683 = file("w_layer_2.npy")
layer_2_bias : X = file("layer_2_bias.npy")

proc network {
    input  : X
    output : X
    part   : X
    h1 : X
    h2 : X
    h1 = input @ w_layer_0
    h1 += layer_0_bias
    h1 = max(h1, 0)
    h2 = h1 @ w_layer_1
    h2 += layer_1_bias
    h2 = max(h2, 0)
    output = h2 @ w_layer_2
    output += layer_2_bias
}
