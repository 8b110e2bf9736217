//! include finish conv_edges conv_wide
// Convolution with a large kernel: partial sums.  Invocation i adds up some taps (elements of b,
// counted row-major) for element i mod n[4] of a band of the result that begins at row n[3]:
// slot k = i div n[4] takes the n[1] taps from n[0] + k * n[1] on.  Words 3i..3i+2 of scratch are
// its sum, to which n[2] = 1 adds.  n[5]: channels of a; n[6]: 1 if coordinates wrap.

@compute @workgroup_size(256)
fn taps(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = linear(group, groups, local);
    if (faulted() || i >= p.total) {
        return;
    }
    let slot = i / p.n[4];
    let number = i - slot * p.n[4];
    let r = p.n[3] + number / p.cols;
    let c = number % p.cols;
    let x = c / p.n[5];
    let lane = c - x * p.n[5];
    let width = p.a.cols / p.n[5];
    let wrapped = p.n[6] == 1u;

    let count = p.b.rows * p.b.cols;
    let begin = p.n[0] + slot * p.n[1];
    var left = 0u;
    if (begin < count) {
        left = min(p.n[1], count - begin);
    }
    var u = begin / p.b.cols;
    var v = begin - u * p.b.cols;
    var sum = vec3<u32>(0u);
    if (p.n[2] == 1u) {
        sum = vec3<u32>(scratch[3u * i], scratch[3u * i + 1u], scratch[3u * i + 2u]);
    }
    for (; left > 0u; left--) {
        let row = place(r + u, p.b.rows / 2u, p.a.rows, wrapped);
        let col = place(x + v, p.b.cols / 2u, width, wrapped) * p.n[5] + lane;
        sum = i96_add(sum, i96_of(i64_mul(i32(raw_a(row, col)), i32(raw_b(u, v)))));
        v++;
        if (v == p.b.cols) {
            v = 0u;
            u++;
        }
    }
    scratch[3u * i] = sum.x;
    scratch[3u * i + 1u] = sum.y;
    scratch[3u * i + 2u] = sum.z;
}
