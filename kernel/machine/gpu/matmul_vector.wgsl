//! include matmul_finish
// Few rows times a matrix of bytes: every byte is read once and the rest must keep up with that.
//
// The elements x of a are cut into four planes of bytes of u = x + 2^31, packed four terms to a word:
// sum(x * q) = sum over planes of 256^plane * dot(plane, q) - 2^31 * sum(q).  A plane's dot product
// stays below 2^32 for sums of up to 2^16 terms.  A workgroup of SIZE sums whole columns of the
// result, takes terms by 4096, and keeps many independent loads under way.
// n[5]: groups of columns; n[6]: columns in scratch.  Words of d are stored at once (DIRECT); else
// scratch takes 64-bit sums [row][column] and behind them, [row], sums of x.

override DIRECT: u32 = 0u;
override SIZE: u32 = 256u; // 256, 512 or 1024

const ONES: u32 = 0x01010101u;
const HALVES: u32 = 0x00FF00FFu;
const TERMS: u32 = 4096u;
const WORDS: u32 = 1024u; // of a plane

// Planes of 4096 terms; then room for 64-bit sums.
var<workgroup> planes: array<u32, 4096>;
var<workgroup> total_of_x: vec2<u32>;

fn biased(r: u32, k: u32) -> u32 {
    if (k >= p.a.cols) {
        return 0u;
    }
    return raw_a(r, k) ^ 0x80000000u;
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

fn store_sum(i: u32, sum: vec2<u32>) {
    scratch[2u * i] = sum.x;
    scratch[2u * i + 1u] = sum.y;
}

// Where row r of b starts, in words.
fn weight_row(r: u32) -> u32 {
    return (p.b.offset >> 2u) + r * u32(i32(p.b.row_step) >> 2u);
}

// Cut 4096 terms of row r into planes; what the invocation's own add up to.
fn take_in(r: u32, first: u32, local: u32) -> vec2<u32> {
    var sum = vec2<u32>(0u);
    workgroupBarrier();
    for (var j = local; j < WORDS; j += SIZE) {
        let k = first + 4u * j;
        let u = vec4<u32>(biased(r, k), biased(r, k + 1u), biased(r, k + 2u), biased(r, k + 3u));
        let x = across(u);
        planes[j] = x.x;
        planes[WORDS + j] = x.y;
        planes[2u * WORDS + j] = x.z;
        planes[3u * WORDS + j] = x.w;
        // the terms that there are, less the 2^31 of each
        sum = i64_add(sum, i64_add(i64_of_u32(u.x), i64_of_u32(u.y)));
        sum = i64_add(sum, i64_add(i64_of_u32(u.z), i64_of_u32(u.w)));
        sum = i64_sub(sum, i64_shl(i64_of_u32(countOneBits(ones_at(k))), 31u));
    }
    workgroupBarrier();
    return sum;
}

fn plane_words(j: u32) -> vec4<u32> {
    return vec4<u32>(
        planes[j], planes[WORDS + j], planes[2u * WORDS + j], planes[3u * WORDS + j]
    );
}

fn put(i: u32, sum: vec2<u32>) {
    planes[2u * i] = sum.x;
    planes[2u * i + 1u] = sum.y;
}

fn got(i: u32) -> vec2<u32> {
    return vec2<u32>(planes[2u * i], planes[2u * i + 1u]);
}

// The sum of x into total_of_x, from what each invocation has of it.
fn add_up_x(mine: vec2<u32>, local: u32) {
    workgroupBarrier();
    put(local, mine);
    workgroupBarrier();
    if (local < 32u) {
        var sum = got(local);
        for (var i = local + 32u; i < SIZE; i += 32u) {
            sum = i64_add(sum, got(i));
        }
        put(local, sum);
    }
    workgroupBarrier();
    if (local == 0u) {
        var sum = got(0u);
        for (var i = 1u; i < 32u; i++) {
            sum = i64_add(sum, got(i));
        }
        total_of_x = sum;
    }
    workgroupBarrier();
}

// Element (r, c) has this sum of products.
fn give_out(r: u32, c: u32, product: vec2<u32>) {
    if (DIRECT == 1u) {
        if (c < p.cols) {
            store_d(at(p.d, r, c), finish_product(wide_of(product), total_of_x));
        }
    } else {
        store_sum(r * p.n[6] + c, product);
        if (c == 0u) {
            store_sum(p.rows * p.n[6] + r, total_of_x);
        }
    }
}

// b is K x N.  A workgroup has 32 columns: 8 words by SIZE / 8 lanes.
@compute @workgroup_size(SIZE)
fn columns(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group.y * groups.x + group.x;
    if (faulted_uniform(local) || number >= p.total) {
        return;
    }
    let col_group = number % p.n[5];
    let r = number / p.n[5];
    let lanes = SIZE >> 3u;
    let column = min(col_group * 8u + (local & 7u), (p.cols - 1u) >> 2u);
    let last = p.a.cols - 1u;
    var s0 = vec4<u32>(0u);
    var s1 = vec4<u32>(0u);
    var s2 = vec4<u32>(0u);
    var s3 = vec4<u32>(0u);
    var of_q = vec4<u32>(0u);
    var of_x = vec2<u32>(0u);
    for (var first = 0u; first < p.a.cols; first += TERMS) {
        of_x = i64_add(of_x, take_in(r, first, local));
        for (var j = local >> 3u; j < WORDS; j += 4u * lanes) {
            let k = first + 4u * j;
            if (k > last) {
                break;
            }
            let w00 = load_b(weight_row(min(k, last)) + column);
            let w01 = load_b(weight_row(min(k + 1u, last)) + column);
            let w02 = load_b(weight_row(min(k + 2u, last)) + column);
            let w03 = load_b(weight_row(min(k + 3u, last)) + column);
            let w10 = load_b(weight_row(min(k + 4u * lanes, last)) + column);
            let w11 = load_b(weight_row(min(k + 4u * lanes + 1u, last)) + column);
            let w12 = load_b(weight_row(min(k + 4u * lanes + 2u, last)) + column);
            let w13 = load_b(weight_row(min(k + 4u * lanes + 3u, last)) + column);
            let w20 = load_b(weight_row(min(k + 8u * lanes, last)) + column);
            let w21 = load_b(weight_row(min(k + 8u * lanes + 1u, last)) + column);
            let w22 = load_b(weight_row(min(k + 8u * lanes + 2u, last)) + column);
            let w23 = load_b(weight_row(min(k + 8u * lanes + 3u, last)) + column);
            let w30 = load_b(weight_row(min(k + 12u * lanes, last)) + column);
            let w31 = load_b(weight_row(min(k + 12u * lanes + 1u, last)) + column);
            let w32 = load_b(weight_row(min(k + 12u * lanes + 2u, last)) + column);
            let w33 = load_b(weight_row(min(k + 12u * lanes + 3u, last)) + column);
            let x0 = plane_words(j);
            let q0 = across(vec4<u32>(w00, w01, w02, w03));
            s0 += dots(x0, q0.x);
            s1 += dots(x0, q0.y);
            s2 += dots(x0, q0.z);
            s3 += dots(x0, q0.w);
            of_q += dots(q0, ones_at(k));
            let x1 = plane_words(j + lanes);
            let q1 = across(vec4<u32>(w10, w11, w12, w13));
            s0 += dots(x1, q1.x);
            s1 += dots(x1, q1.y);
            s2 += dots(x1, q1.z);
            s3 += dots(x1, q1.w);
            of_q += dots(q1, ones_at(k + 4u * lanes));
            let x2 = plane_words(j + 2u * lanes);
            let q2 = across(vec4<u32>(w20, w21, w22, w23));
            s0 += dots(x2, q2.x);
            s1 += dots(x2, q2.y);
            s2 += dots(x2, q2.z);
            s3 += dots(x2, q2.w);
            of_q += dots(q2, ones_at(k + 8u * lanes));
            let x3 = plane_words(j + 3u * lanes);
            let q3 = across(vec4<u32>(w30, w31, w32, w33));
            s0 += dots(x3, q3.x);
            s1 += dots(x3, q3.y);
            s2 += dots(x3, q3.z);
            s3 += dots(x3, q3.w);
            of_q += dots(q3, ones_at(k + 12u * lanes));
        }
    }
    add_up_x(of_x, local);
    var sum0 = together(s0, of_q.x);
    var sum1 = together(s1, of_q.y);
    var sum2 = together(s2, of_q.z);
    var sum3 = together(s3, of_q.w);
    // halves of the lanes onto each other, down to 32
    for (var half = SIZE >> 1u; half >= 256u; half = half >> 1u) {
        if (local >= half && local < 2u * half) {
            let i = 4u * (local - half);
            put(i, sum0);
            put(i + 1u, sum1);
            put(i + 2u, sum2);
            put(i + 3u, sum3);
        }
        workgroupBarrier();
        if (local < half) {
            sum0 = i64_add(sum0, got(4u * local));
            sum1 = i64_add(sum1, got(4u * local + 1u));
            sum2 = i64_add(sum2, got(4u * local + 2u));
            sum3 = i64_add(sum3, got(4u * local + 3u));
        }
        workgroupBarrier();
    }
    if (local < 256u) {
        put(4u * local, sum0);
        put(4u * local + 1u, sum1);
        put(4u * local + 2u, sum2);
        put(4u * local + 3u, sum3);
    }
    workgroupBarrier();
    // now [lane][column], 32 by 32: four lanes each, then eight of those
    var sum = vec2<u32>(0u);
    if (local < 256u) {
        sum = got(local);
        for (var i = 256u; i < 1024u; i += 256u) {
            sum = i64_add(sum, got(local + i));
        }
    }
    workgroupBarrier();
    if (local < 256u) {
        put(local, sum);
    }
    workgroupBarrier();
    if (local < 32u) {
        for (var i = 32u; i < 256u; i += 32u) {
            sum = i64_add(sum, got(local + i));
        }
        give_out(r, col_group * 32u + local, sum);
    }
}

// b is N x K.  A workgroup has SIZE / 32 columns of the result, 32 lanes each.
@compute @workgroup_size(SIZE)
fn rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group.y * groups.x + group.x;
    if (faulted_uniform(local) || number >= p.total) {
        return;
    }
    let col_group = number % p.n[5];
    let r = number / p.n[5];
    let from_word = weight_row(min(col_group * (SIZE >> 5u) + (local >> 5u), p.cols - 1u));
    let last = (p.a.cols - 1u) >> 2u;
    var s = vec4<u32>(0u);
    var of_q = 0u;
    var of_x = vec2<u32>(0u);
    for (var first = 0u; first < p.a.cols; first += TERMS) {
        of_x = i64_add(of_x, take_in(r, first, local));
        let words = first >> 2u;
        for (var j = local & 31u; j < WORDS; j += 512u) {
            let k = first + 4u * j;
            if (words + j > last) {
                break;
            }
            let w0 = load_b(from_word + min(words + j, last));
            let w1 = load_b(from_word + min(words + j + 32u, last));
            let w2 = load_b(from_word + min(words + j + 64u, last));
            let w3 = load_b(from_word + min(words + j + 96u, last));
            let w4 = load_b(from_word + min(words + j + 128u, last));
            let w5 = load_b(from_word + min(words + j + 160u, last));
            let w6 = load_b(from_word + min(words + j + 192u, last));
            let w7 = load_b(from_word + min(words + j + 224u, last));
            let w8 = load_b(from_word + min(words + j + 256u, last));
            let w9 = load_b(from_word + min(words + j + 288u, last));
            let w10 = load_b(from_word + min(words + j + 320u, last));
            let w11 = load_b(from_word + min(words + j + 352u, last));
            let w12 = load_b(from_word + min(words + j + 384u, last));
            let w13 = load_b(from_word + min(words + j + 416u, last));
            let w14 = load_b(from_word + min(words + j + 448u, last));
            let w15 = load_b(from_word + min(words + j + 480u, last));
            s += dots(plane_words(j), w0);
            of_q += dot4U8Packed(w0, ones_at(k));
            s += dots(plane_words(j + 32u), w1);
            of_q += dot4U8Packed(w1, ones_at(k + 128u));
            s += dots(plane_words(j + 64u), w2);
            of_q += dot4U8Packed(w2, ones_at(k + 256u));
            s += dots(plane_words(j + 96u), w3);
            of_q += dot4U8Packed(w3, ones_at(k + 384u));
            s += dots(plane_words(j + 128u), w4);
            of_q += dot4U8Packed(w4, ones_at(k + 512u));
            s += dots(plane_words(j + 160u), w5);
            of_q += dot4U8Packed(w5, ones_at(k + 640u));
            s += dots(plane_words(j + 192u), w6);
            of_q += dot4U8Packed(w6, ones_at(k + 768u));
            s += dots(plane_words(j + 224u), w7);
            of_q += dot4U8Packed(w7, ones_at(k + 896u));
            s += dots(plane_words(j + 256u), w8);
            of_q += dot4U8Packed(w8, ones_at(k + 1024u));
            s += dots(plane_words(j + 288u), w9);
            of_q += dot4U8Packed(w9, ones_at(k + 1152u));
            s += dots(plane_words(j + 320u), w10);
            of_q += dot4U8Packed(w10, ones_at(k + 1280u));
            s += dots(plane_words(j + 352u), w11);
            of_q += dot4U8Packed(w11, ones_at(k + 1408u));
            s += dots(plane_words(j + 384u), w12);
            of_q += dot4U8Packed(w12, ones_at(k + 1536u));
            s += dots(plane_words(j + 416u), w13);
            of_q += dot4U8Packed(w13, ones_at(k + 1664u));
            s += dots(plane_words(j + 448u), w14);
            of_q += dot4U8Packed(w14, ones_at(k + 1792u));
            s += dots(plane_words(j + 480u), w15);
            of_q += dot4U8Packed(w15, ones_at(k + 1920u));
        }
    }
    add_up_x(of_x, local);
    put(local, together(s, of_q));
    workgroupBarrier();
    let outputs = SIZE >> 5u;
    if (local < outputs) {
        var sum = got(32u * local);
        for (var i = 1u; i < 32u; i++) {
            sum = i64_add(sum, got(32u * local + i));
        }
        give_out(r, col_group * outputs + local, sum);
    }
}

fn element(r: u32, c: u32) -> u32 {
    let i = 2u * (r * p.n[6] + c);
    let j = 2u * (p.rows * p.n[6] + r);
    let product = vec2<u32>(scratch[i], scratch[i + 1u]);
    return finish_product(wide_of(product), vec2<u32>(scratch[j], scratch[j + 1u]));
}
//! include pull
