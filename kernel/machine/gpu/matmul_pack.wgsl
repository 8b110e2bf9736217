//! include finish
// Operands of large products in planes of digits of base 256, each -128 .. 127, and sums of rows.
//
// pack: a has one line for each row or column of the result.  n[0]: lines, n[1]: words of a line, both
// padded; n[2]: planes; n[3]: what is taken from an element; n[4]: its mark in counts, whose bit i
// says that plane i is used; n[5]: how it is cut.  Scratch holds [plane][word][line], a word being
// four inner elements.
//
// BALANCED: v = sum of d_i * 256^i, as many digits as v needs; a plane is used if it has a digit other
// than zero.  SUMMED: the same, and counts[SUMS + line] takes the sum of a line of one plane.
// OFFSET: as few planes P as the element of greatest magnitude needs: digit i is byte i of
// v + 2^(8P-1), less 128.  That makes v smaller by 128 * (1 + 256 + .. 256^(P-2)), for which
// matmul_gather.wgsl makes up, and 16 bits take two planes where balanced digits take three.

const BALANCED: u32 = 0u;
const SUMMED: u32 = 1u;
const OFFSET: u32 = 2u;

// In counts: marks of a and b, the magnitudes of a or-ed, sums of columns.
const MAGNITUDE: u32 = 2u;
const SUMS: u32 = 3u;

// Elements that an invocation looks at for the magnitude.
const EACH: u32 = 16u;

var<workgroup> used: atomic<u32>;
var<workgroup> part: array<vec2<u32>, 256>;

fn centred(line: u32, k: u32) -> i32 {
    if (line >= p.a.rows || k >= p.a.cols) {
        return 0;
    }
    return signed_raw(raw_a(line, k)) - i32(p.n[3]);
}

// Or ``mine`` of all invocations into counts[i].
fn or_together(i: u32, mine: u32, local: u32) {
    if (local == 0u) {
        atomicStore(&used, 0u); // wgpu's native library does not clear workgroup memory
    }
    workgroupBarrier();
    if (mine != 0u) {
        atomicOr(&used, mine);
    }
    workgroupBarrier();
    if (local == 0u) {
        let all = atomicLoad(&used);
        if ((atomicLoad(&counts[i]) & all) != all) {
            atomicOr(&counts[i], all);
        }
    }
}

// counts[MAGNITUDE]: the magnitudes of a's elements or-ed, v for v >= 0 and -1 - v for others.
@compute @workgroup_size(256)
fn magnitude(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    var all = 0u;
    let first = (group.y * groups.x + group.x) * GROUP * EACH + local;
    for (var n = 0u; n < EACH; n++) {
        let i = first + n * GROUP;
        if (i < p.total) {
            let line = i / p.a.cols;
            let v = signed_raw(raw_a(line, i - line * p.a.cols));
            all |= u32(v ^ (v >> 31u));
        }
    }
    or_together(MAGNITUDE, all, local);
}

@compute @workgroup_size(256)
fn pack(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    if (faulted_uniform(local)) {
        return;
    }
    let i = linear(group, groups, local);
    let offset = p.n[5] == OFFSET;
    var planes = p.n[2];
    if (offset) {
        planes = (40u - countLeadingZeros(atomicLoad(&counts[MAGNITUDE]))) >> 3u;
    }
    var mine = 0u;
    if (i < p.total) {
        let k = 4u * (i / p.n[0]);
        let line = i % p.n[0];
        var v = vec4<i32>(
            centred(line, k), centred(line, k + 1u), centred(line, k + 2u), centred(line, k + 3u)
        );
        if (offset) {
            v += vec4<i32>(i32(1u << (8u * planes - 1u)));
            mine = (1u << planes) - 1u;
        }
        for (var plane = 0u; plane < planes; plane++) {
            let digits = vec4<u32>(v) & vec4<u32>(255u);
            var word = digits.x | (digits.y << 8u) | (digits.z << 16u) | (digits.w << 24u);
            if (offset) {
                word ^= 0x80808080u;
                v = v >> vec4<u32>(8u);
            } else {
                mine |= select(0u, 1u << plane, word != 0u);
                // what is left, with the carry of a digit that stands for less than zero
                v = (v >> vec4<u32>(8u)) + ((v >> vec4<u32>(7u)) & vec4<i32>(1));
            }
            scratch[plane * p.total + i] = word;
            if (p.n[5] == SUMMED) {
                atomicAdd(&counts[SUMS + line], u32(dot4I8Packed(word, 0x01010101u)));
            }
        }
    }
    or_together(p.n[4], mine, local);
}

// scratch[2r], scratch[2r + 1]: the sum of row r of a.  A workgroup a row.
@compute @workgroup_size(256)
fn row_sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let r = group.y * groups.x + group.x;
    if (faulted_uniform(local) || r >= p.total) {
        return;
    }
    var sum = vec2<u32>(0u);
    for (var k = local; k < p.a.cols; k += 256u) {
        sum = i64_add(sum, i64_of(signed_raw(raw_a(r, k))));
    }
    part[local] = sum;
    for (var half = 128u; half > 0u; half = half >> 1u) {
        workgroupBarrier();
        if (local < half) {
            part[local] = i64_add(part[local], part[local + half]);
        }
    }
    if (local == 0u) {
        scratch[2u * r] = part[0].x;
        scratch[2u * r + 1u] = part[0].y;
    }
}
