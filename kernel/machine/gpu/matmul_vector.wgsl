//! include matmul_finish
// Few rows times a matrix of bytes: every byte is read once and the rest must keep up with that.
//
// The elements x of a are cut into four planes of bytes of u = x + 2^31, packed four terms to a word:
// sum(x * q) = sum over planes of 256^plane * dot(plane, q) - 2^31 * sum(q).  A plane's dot product
// stays below 2^32 for sums of up to 2^16 terms.
// n[5]: pieces of a sum; n[6]: groups of columns; n[7]: columns in scratch.  Scratch holds 64-bit sums
// [piece][row][column] and behind them, [piece][row], sums of x.

const ONES: u32 = 0x01010101u;
const HALVES: u32 = 0x00FF00FFu;

var<workgroup> planes: array<u32, 4096>;
var<workgroup> part: array<vec2<u32>, 1024>;

// Word j of the planes of row r: the terms 4j .. 4j+3, 0 beyond the last.
fn biased(r: u32, k: u32) -> u32 {
    if (k >= p.a.cols) {
        return 0u;
    }
    return raw_a(r, k) ^ 0x80000000u;
}

// The four plane words of the terms k .. k+3.
fn plane_words(r: u32, k: u32) -> vec4<u32> {
    return across(vec4<u32>(biased(r, k), biased(r, k + 1u), biased(r, k + 2u), biased(r, k + 3u)));
}

// A 4x4 matrix of bytes transposed: byte i of word j becomes byte j of word i.
fn across(w: vec4<u32>) -> vec4<u32> {
    let even01 = (w.x & HALVES) | ((w.y & HALVES) << 8u);
    let even23 = (w.z & HALVES) | ((w.w & HALVES) << 8u);
    let odd01 = ((w.x >> 8u) & HALVES) | (w.y & ~HALVES);
    let odd23 = ((w.z >> 8u) & HALVES) | (w.w & ~HALVES);
    return vec4<u32>(
        (even01 & 0xFFFFu) | (even23 << 16u),
        (odd01 & 0xFFFFu) | (odd23 << 16u),
        (even01 >> 16u) | (even23 & 0xFFFF0000u),
        (odd01 >> 16u) | (odd23 & 0xFFFF0000u),
    );
}

// A 1 for each of the terms k .. k+3 that there is.
fn ones_at(k: u32) -> u32 {
    if (k + 4u <= p.a.cols) {
        return ONES;
    }
    if (k >= p.a.cols) {
        return 0u;
    }
    return ONES >> (8u * (4u - (p.a.cols - k)));
}

fn dots(x: vec4<u32>, q: u32) -> vec4<u32> {
    return vec4<u32>(
        dot4U8Packed(x.x, q), dot4U8Packed(x.y, q), dot4U8Packed(x.z, q), dot4U8Packed(x.w, q)
    );
}

// The exact sum from the planes' sums and the sum of q.
fn together(by_plane: vec4<u32>, of_q: u32) -> vec2<u32> {
    var total = i64_of_u32(by_plane.x);
    total = i64_add(total, i64_shl(i64_of_u32(by_plane.y), 8u));
    total = i64_add(total, i64_shl(i64_of_u32(by_plane.z), 16u));
    total = i64_add(total, i64_shl(i64_of_u32(by_plane.w), 24u));
    return i64_sub(total, i64_shl(i64_of_u32(of_q), 31u));
}

// part[0] = part[0] + ... + part[255]
fn add_parts(local: u32) {
    for (var half = 128u; half > 0u; half = half >> 1u) {
        workgroupBarrier();
        if (local < half) {
            part[local] = i64_add(part[local], part[local + half]);
        }
    }
    workgroupBarrier();
}

fn store_sum(i: u32, sum: vec2<u32>) {
    scratch[2u * i] = sum.x;
    scratch[2u * i + 1u] = sum.y;
}

// Word i of b, whose rows start on words: row r of it.
fn weight_row(r: u32) -> u32 {
    return (p.b.offset >> 2u) + r * u32(i32(p.b.row_step) >> 2u);
}

// b is K x N.  A workgroup has 128 columns and 256 terms: 32 words by 8 lanes of 32 terms.
@compute @workgroup_size(256)
fn columns(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group.y * groups.x + group.x;
    if (faulted_uniform(local) || number >= p.total) {
        return;
    }
    let col_group = number % p.n[6];
    let piece = (number / p.n[6]) % p.n[5];
    let r = number / (p.n[6] * p.n[5]);
    let first = piece * 256u;
    if (local < 64u) {
        let x = plane_words(r, first + 4u * local);
        planes[local] = x.x;
        planes[64u + local] = x.y;
        planes[128u + local] = x.z;
        planes[192u + local] = x.w;
    }
    workgroupBarrier();
    let column = min(col_group * 32u + (local & 31u), (p.cols - 1u) >> 2u);
    let lane = local >> 5u;
    let last = p.a.cols - 1u;
    var s0 = vec4<u32>(0u);
    var s1 = vec4<u32>(0u);
    var s2 = vec4<u32>(0u);
    var s3 = vec4<u32>(0u);
    var of_q = vec4<u32>(0u);
    for (var j = lane * 8u; j < lane * 8u + 8u; j += 2u) {
        let k = first + 4u * j;
        let w0 = load_b(weight_row(min(k, last)) + column);
        let w1 = load_b(weight_row(min(k + 1u, last)) + column);
        let w2 = load_b(weight_row(min(k + 2u, last)) + column);
        let w3 = load_b(weight_row(min(k + 3u, last)) + column);
        let w4 = load_b(weight_row(min(k + 4u, last)) + column);
        let w5 = load_b(weight_row(min(k + 5u, last)) + column);
        let w6 = load_b(weight_row(min(k + 6u, last)) + column);
        let w7 = load_b(weight_row(min(k + 7u, last)) + column);
        let x = vec4<u32>(planes[j], planes[64u + j], planes[128u + j], planes[192u + j]);
        let q = across(vec4<u32>(w0, w1, w2, w3));
        s0 += dots(x, q.x);
        s1 += dots(x, q.y);
        s2 += dots(x, q.z);
        s3 += dots(x, q.w);
        of_q += dots(q, ones_at(k));
        let i = j + 1u;
        let y = vec4<u32>(planes[i], planes[64u + i], planes[128u + i], planes[192u + i]);
        let t = across(vec4<u32>(w4, w5, w6, w7));
        s0 += dots(y, t.x);
        s1 += dots(y, t.y);
        s2 += dots(y, t.z);
        s3 += dots(y, t.w);
        of_q += dots(t, ones_at(k + 4u));
    }
    part[4u * local] = together(s0, of_q.x);
    part[4u * local + 1u] = together(s1, of_q.y);
    part[4u * local + 2u] = together(s2, of_q.z);
    part[4u * local + 3u] = together(s3, of_q.w);
    workgroupBarrier();
    if (local < 128u) {
        var sum = part[local];
        for (var other = 1u; other < 8u; other++) {
            sum = i64_add(sum, part[128u * other + local]);
        }
        store_sum((piece * p.rows + r) * p.n[7] + col_group * 128u + local, sum);
    }
    if (col_group == 0u) {
        store_sum_of_a(r, first, local, piece * p.rows + r);
    }
}

// The sum of the terms first .. first + 255 of row r of a, as the one numbered so.
fn store_sum_of_a(r: u32, first: u32, local: u32, number: u32) {
    workgroupBarrier();
    part[local] = vec2<u32>(0u);
    for (var k = first + local; k < min(first + p.n[8], p.a.cols); k += 256u) {
        part[local] = i64_add(part[local], i64_of(signed_raw(raw_a(r, k))));
    }
    add_parts(local);
    if (local == 0u) {
        store_sum(p.n[5] * p.rows * p.n[7] + number, part[0]);
    }
}

// b is N x K.  A workgroup has 8 columns of the result, 32 lanes each; terms by 4096.
@compute @workgroup_size(256)
fn rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group.y * groups.x + group.x;
    if (faulted_uniform(local) || number >= p.total) {
        return;
    }
    let col_group = number % p.n[6];
    let r = number / p.n[6];
    let column = col_group * 8u + (local >> 5u);
    let from_word = weight_row(min(column, p.cols - 1u));
    let last = (p.a.cols - 1u) >> 2u;
    var s = vec4<u32>(0u);
    var of_q = 0u;
    for (var first = 0u; first < p.a.cols; first += 4096u) {
        workgroupBarrier();
        for (var j = local; j < 1024u; j += 256u) {
            let x = plane_words(r, first + 4u * j);
            planes[j] = x.x;
            planes[1024u + j] = x.y;
            planes[2048u + j] = x.z;
            planes[3072u + j] = x.w;
        }
        workgroupBarrier();
        let words = first >> 2u;
        for (var j = local & 31u; j < 1024u; j += 256u) {
            let w0 = load_b(from_word + min(words + j, last));
            let w1 = load_b(from_word + min(words + j + 32u, last));
            let w2 = load_b(from_word + min(words + j + 64u, last));
            let w3 = load_b(from_word + min(words + j + 96u, last));
            let w4 = load_b(from_word + min(words + j + 128u, last));
            let w5 = load_b(from_word + min(words + j + 160u, last));
            let w6 = load_b(from_word + min(words + j + 192u, last));
            let w7 = load_b(from_word + min(words + j + 224u, last));
            s += by_planes(j, w0) + by_planes(j + 32u, w1) + by_planes(j + 64u, w2)
                + by_planes(j + 96u, w3) + by_planes(j + 128u, w4) + by_planes(j + 160u, w5)
                + by_planes(j + 192u, w6) + by_planes(j + 224u, w7);
            let k = first + 4u * j;
            of_q += dot4U8Packed(w0, ones_at(k)) + dot4U8Packed(w1, ones_at(k + 128u))
                + dot4U8Packed(w2, ones_at(k + 256u)) + dot4U8Packed(w3, ones_at(k + 384u))
                + dot4U8Packed(w4, ones_at(k + 512u)) + dot4U8Packed(w5, ones_at(k + 640u))
                + dot4U8Packed(w6, ones_at(k + 768u)) + dot4U8Packed(w7, ones_at(k + 896u));
        }
    }
    part[local] = together(s, of_q);
    workgroupBarrier();
    if (local < 8u) {
        var sum = part[32u * local];
        for (var other = 1u; other < 32u; other++) {
            sum = i64_add(sum, part[32u * local + other]);
        }
        store_sum(r * p.n[7] + col_group * 8u + local, sum);
    }
    if (col_group == 0u) {
        store_sum_of_a(r, 0u, local, r);
    }
}

fn by_planes(j: u32, q: u32) -> vec4<u32> {
    return dots(vec4<u32>(planes[j], planes[1024u + j], planes[2048u + j], planes[3072u + j]), q);
}

fn element(r: u32, c: u32) -> u32 {
    var product = vec2<u32>(0u);
    var sum = vec2<u32>(0u);
    let behind = p.n[5] * p.rows * p.n[7];
    for (var piece = 0u; piece < p.n[5]; piece++) {
        let row = piece * p.rows + r;
        let i = 2u * (row * p.n[7] + c);
        product = i64_add(product, vec2<u32>(scratch[i], scratch[i + 1u]));
        let j = 2u * (behind + row);
        sum = i64_add(sum, vec2<u32>(scratch[j], scratch[j + 1u]));
    }
    return finish_product(wide_of(product), sum);
}
//! include pull
