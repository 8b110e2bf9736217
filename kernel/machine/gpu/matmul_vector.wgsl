//! include matmul_finish
// Few rows times a matrix of bytes: every byte is read once and the rest must keep up with that.
//
// The elements x of a are cut into four planes of bytes of u = x + 2^31, packed four terms to a word:
// sum(x * q) = sum over planes of 256^plane * dot(plane, q) - 2^31 * sum(q).  A plane's dot product
// and the sum of q stay below 2^32 for sums of up to 2^16 terms.  A workgroup of SIZE sums whole
// columns of the result.  What bounds it is how many loads are on their way: an invocation asks for
// sixty-four words before anything else, and its pipeline knows the inner size and the rows' distance,
// so that addresses are constants apart.  Sums come together by addition in workgroup memory, whose
// order does not matter.
// n[5]: groups of columns; n[6]: columns in scratch.  Words of d are stored at once (DIRECT); else
// scratch takes 64-bit sums [row][column] and behind them, [row], sums of x.

override DIRECT: u32 = 0u;
override SIZE: u32 = 256u;  // 256 or 512
override INNER: u32 = 1u;   // terms of a sum
override STEP: u32 = 1u;    // words from one row of b to the next, modulo 2^32
override A_FLAT: u32 = 0u;  // the elements of a row of a are words that lie side by side

const ONES: u32 = 0x01010101u;
const HALVES: u32 = 0x00FF00FFu;
const TERMS: u32 = 4096u;
const WORDS: u32 = 1024u;  // of a plane
const COLUMNS: u32 = 32u;  // most columns of a workgroup

// Planes of 4096 terms.
var<workgroup> planes: array<u32, 4096>;
// Sums by column: of the four planes' products, and of q.
var<workgroup> sums: array<atomic<u32>, 160>;
// Sums of the low and of the high halves of u.
var<workgroup> halves: array<atomic<u32>, 2>;

fn biased(r: u32, k: u32) -> u32 {
    if (k >= INNER) {
        return 0u;
    }
    if (A_FLAT == 1u) {
        return load_a(p.a.offset + r * p.a.row_step + k) ^ 0x80000000u;
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
    if (k + 4u <= INNER) {
        return ONES;
    }
    if (k >= INNER) {
        return 0u;
    }
    return ONES >> (8u * (4u - (INNER - k)));
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
    return (p.b.offset >> 2u) + r * STEP;
}

// Workgroup memory begins with anything: wgpu's native library does not clear it.
fn clear_sums(local: u32) {
    if (local < 5u * COLUMNS) {
        atomicStore(&sums[local], 0u);
    }
    if (local < 2u) {
        atomicStore(&halves[local], 0u);
    }
}

// Cut 4 * words terms of row r into planes, and add them up.
fn take_in(r: u32, first: u32, words: u32, local: u32) {
    var low = 0u;
    var high = 0u;
    workgroupBarrier();
    for (var j = local; j < words; j += SIZE) {
        let k = first + 4u * j;
        let u = vec4<u32>(biased(r, k), biased(r, k + 1u), biased(r, k + 2u), biased(r, k + 3u));
        let x = across(u);
        planes[j] = x.x;
        planes[WORDS + j] = x.y;
        planes[2u * WORDS + j] = x.z;
        planes[3u * WORDS + j] = x.w;
        low += (u.x & 0xFFFFu) + (u.y & 0xFFFFu) + (u.z & 0xFFFFu) + (u.w & 0xFFFFu);
        high += (u.x >> 16u) + (u.y >> 16u) + (u.z >> 16u) + (u.w >> 16u);
    }
    atomicAdd(&halves[0], low);
    atomicAdd(&halves[1], high);
    workgroupBarrier();
}

fn plane_words(j: u32) -> vec4<u32> {
    return vec4<u32>(
        planes[j], planes[WORDS + j], planes[2u * WORDS + j], planes[3u * WORDS + j]
    );
}

// Add to the sums of a column of the workgroup's.
fn add_up(column: u32, by_plane: vec4<u32>, of_q: u32) {
    atomicAdd(&sums[column], by_plane.x);
    atomicAdd(&sums[COLUMNS + column], by_plane.y);
    atomicAdd(&sums[2u * COLUMNS + column], by_plane.z);
    atomicAdd(&sums[3u * COLUMNS + column], by_plane.w);
    atomicAdd(&sums[4u * COLUMNS + column], of_q);
}

// Element (r, c), whose sums are those of ``column``.
fn give_out(r: u32, c: u32, column: u32) {
    let by_plane = vec4<u32>(
        atomicLoad(&sums[column]),
        atomicLoad(&sums[COLUMNS + column]),
        atomicLoad(&sums[2u * COLUMNS + column]),
        atomicLoad(&sums[3u * COLUMNS + column]),
    );
    let product = together(by_plane, atomicLoad(&sums[4u * COLUMNS + column]));
    // the terms that there are, less the 2^31 of each
    var of_x = i64_of_u32(atomicLoad(&halves[0]));
    of_x = i64_add(of_x, i64_shl(i64_of_u32(atomicLoad(&halves[1])), 16u));
    of_x = i64_sub(of_x, i64_shl(i64_of_u32(INNER), 31u));
    if (DIRECT == 1u) {
        if (c < p.cols) {
            store_d(at(p.d, r, c), finish_product(wide_of(product), of_x));
        }
    } else {
        store_sum(r * p.n[6] + c, product);
        if (c == 0u) {
            store_sum(p.rows * p.n[6] + r, of_x);
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
    if (number >= p.total) {
        return;
    }
    let col_group = number % p.n[5];
    let r = number / p.n[5];
    let lanes = SIZE >> 3u;
    let lane = local >> 3u;
    let word = local & 7u;
    let column = min(col_group * 8u + word, (p.cols - 1u) >> 2u);
    // from one quad of rows of an invocation to the next; sixteen are taken in at a time
    let stride = 4u * lanes;
    let chunk = 16u * stride;
    var s0 = vec4<u32>(0u);
    var s1 = vec4<u32>(0u);
    var s2 = vec4<u32>(0u);
    var s3 = vec4<u32>(0u);
    var of_q = vec4<u32>(0u);
    for (var first = 0u; first < INNER; first += chunk) {
        let k = first + 4u * lane;
        let w0 = four_rows(k, chunk, column);
        let w1 = four_rows(k + 1u * stride, chunk, column);
        let w2 = four_rows(k + 2u * stride, chunk, column);
        let w3 = four_rows(k + 3u * stride, chunk, column);
        let w4 = four_rows(k + 4u * stride, chunk, column);
        let w5 = four_rows(k + 5u * stride, chunk, column);
        let w6 = four_rows(k + 6u * stride, chunk, column);
        let w7 = four_rows(k + 7u * stride, chunk, column);
        let w8 = four_rows(k + 8u * stride, chunk, column);
        let w9 = four_rows(k + 9u * stride, chunk, column);
        let w10 = four_rows(k + 10u * stride, chunk, column);
        let w11 = four_rows(k + 11u * stride, chunk, column);
        let w12 = four_rows(k + 12u * stride, chunk, column);
        let w13 = four_rows(k + 13u * stride, chunk, column);
        let w14 = four_rows(k + 14u * stride, chunk, column);
        let w15 = four_rows(k + 15u * stride, chunk, column);
        if (first == 0u) {
            if (faulted_uniform(local)) {
                return;
            }
            clear_sums(local);
        }
        take_in(r, first, min(chunk, (INNER - first + 3u) & ~3u) >> 2u, local);
        if (INNER % chunk == 0u || k < INNER) {
            let x = plane_words(lane);
            let q = across(w0);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k));
        }
        if (INNER % chunk == 0u || k + 1u * stride < INNER) {
            let x = plane_words(lane + 1u * lanes);
            let q = across(w1);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 1u * stride));
        }
        if (INNER % chunk == 0u || k + 2u * stride < INNER) {
            let x = plane_words(lane + 2u * lanes);
            let q = across(w2);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 2u * stride));
        }
        if (INNER % chunk == 0u || k + 3u * stride < INNER) {
            let x = plane_words(lane + 3u * lanes);
            let q = across(w3);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 3u * stride));
        }
        if (INNER % chunk == 0u || k + 4u * stride < INNER) {
            let x = plane_words(lane + 4u * lanes);
            let q = across(w4);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 4u * stride));
        }
        if (INNER % chunk == 0u || k + 5u * stride < INNER) {
            let x = plane_words(lane + 5u * lanes);
            let q = across(w5);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 5u * stride));
        }
        if (INNER % chunk == 0u || k + 6u * stride < INNER) {
            let x = plane_words(lane + 6u * lanes);
            let q = across(w6);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 6u * stride));
        }
        if (INNER % chunk == 0u || k + 7u * stride < INNER) {
            let x = plane_words(lane + 7u * lanes);
            let q = across(w7);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 7u * stride));
        }
        if (INNER % chunk == 0u || k + 8u * stride < INNER) {
            let x = plane_words(lane + 8u * lanes);
            let q = across(w8);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 8u * stride));
        }
        if (INNER % chunk == 0u || k + 9u * stride < INNER) {
            let x = plane_words(lane + 9u * lanes);
            let q = across(w9);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 9u * stride));
        }
        if (INNER % chunk == 0u || k + 10u * stride < INNER) {
            let x = plane_words(lane + 10u * lanes);
            let q = across(w10);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 10u * stride));
        }
        if (INNER % chunk == 0u || k + 11u * stride < INNER) {
            let x = plane_words(lane + 11u * lanes);
            let q = across(w11);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 11u * stride));
        }
        if (INNER % chunk == 0u || k + 12u * stride < INNER) {
            let x = plane_words(lane + 12u * lanes);
            let q = across(w12);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 12u * stride));
        }
        if (INNER % chunk == 0u || k + 13u * stride < INNER) {
            let x = plane_words(lane + 13u * lanes);
            let q = across(w13);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 13u * stride));
        }
        if (INNER % chunk == 0u || k + 14u * stride < INNER) {
            let x = plane_words(lane + 14u * lanes);
            let q = across(w14);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 14u * stride));
        }
        if (INNER % chunk == 0u || k + 15u * stride < INNER) {
            let x = plane_words(lane + 15u * lanes);
            let q = across(w15);
            s0 += dots(x, q.x);
            s1 += dots(x, q.y);
            s2 += dots(x, q.z);
            s3 += dots(x, q.w);
            of_q += dots(q, ones_at(k + 15u * stride));
        }
    }
    let mine = 4u * word;
    add_up(mine, s0, of_q.x);
    add_up(mine + 1u, s1, of_q.y);
    add_up(mine + 2u, s2, of_q.z);
    add_up(mine + 3u, s3, of_q.w);
    workgroupBarrier();
    if (local < COLUMNS) {
        give_out(r, col_group * COLUMNS + local, local);
    }
}

// Words of a column of b in rows k .. k+3: the last row again, or zeros, where there are no more.
fn four_rows(k: u32, chunk: u32, column: u32) -> vec4<u32> {
    let from_word = weight_row(k) + column;
    if (INNER % chunk == 0u || k + 3u < INNER) {
        return vec4<u32>(
            load_b(from_word),
            load_b(from_word + STEP),
            load_b(from_word + 2u * STEP),
            load_b(from_word + 3u * STEP),
        );
    }
    if (k >= INNER) {
        return vec4<u32>(0u);
    }
    let left = INNER - 1u - k; // 0, 1 or 2
    return vec4<u32>(
        load_b(from_word),
        load_b(from_word + min(1u, left) * STEP),
        load_b(from_word + left * STEP),
        load_b(from_word + left * STEP),
    );
}

// b is N x K.  A workgroup has SIZE / 32 columns of the result, 32 lanes each.
@compute @workgroup_size(SIZE)
fn rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group.y * groups.x + group.x;
    if (number >= p.total) {
        return;
    }
    let col_group = number % p.n[5];
    let r = number / p.n[5];
    let mine = local >> 5u;
    let from_word = weight_row(min(col_group * (SIZE >> 5u) + mine, p.cols - 1u));
    let last = (INNER - 1u) >> 2u;
    var s = vec4<u32>(0u);
    var of_q = 0u;
    var at_word = local & 31u;
    var w0 = four_words(from_word, at_word, last);
    var w1 = four_words(from_word, at_word + 128u, last);
    var w2 = four_words(from_word, at_word + 256u, last);
    var w3 = four_words(from_word, at_word + 384u, last);
    if (faulted_uniform(local)) {
        return;
    }
    clear_sums(local);
    for (var first = 0u; first < INNER; first += TERMS) {
        take_in(r, first, WORDS, local);
        for (var j = local & 31u; j < WORDS; j += 512u) {
            if (at_word > last) {
                break;
            }
            let v0 = w0;
            let v1 = w1;
            let v2 = w2;
            let v3 = w3;
            if (at_word + 512u <= last) {
                w0 = four_words(from_word, at_word + 512u, last);
                w1 = four_words(from_word, at_word + 640u, last);
                w2 = four_words(from_word, at_word + 768u, last);
                w3 = four_words(from_word, at_word + 896u, last);
            }
            let k = first + 4u * j;
            s += dots(plane_words(j), v0.x);
            of_q += dot4U8Packed(v0.x, ones_at(k));
            s += dots(plane_words(j + 32u), v0.y);
            of_q += dot4U8Packed(v0.y, ones_at(k + 128u));
            s += dots(plane_words(j + 64u), v0.z);
            of_q += dot4U8Packed(v0.z, ones_at(k + 256u));
            s += dots(plane_words(j + 96u), v0.w);
            of_q += dot4U8Packed(v0.w, ones_at(k + 384u));
            s += dots(plane_words(j + 128u), v1.x);
            of_q += dot4U8Packed(v1.x, ones_at(k + 512u));
            s += dots(plane_words(j + 160u), v1.y);
            of_q += dot4U8Packed(v1.y, ones_at(k + 640u));
            s += dots(plane_words(j + 192u), v1.z);
            of_q += dot4U8Packed(v1.z, ones_at(k + 768u));
            s += dots(plane_words(j + 224u), v1.w);
            of_q += dot4U8Packed(v1.w, ones_at(k + 896u));
            s += dots(plane_words(j + 256u), v2.x);
            of_q += dot4U8Packed(v2.x, ones_at(k + 1024u));
            s += dots(plane_words(j + 288u), v2.y);
            of_q += dot4U8Packed(v2.y, ones_at(k + 1152u));
            s += dots(plane_words(j + 320u), v2.z);
            of_q += dot4U8Packed(v2.z, ones_at(k + 1280u));
            s += dots(plane_words(j + 352u), v2.w);
            of_q += dot4U8Packed(v2.w, ones_at(k + 1408u));
            s += dots(plane_words(j + 384u), v3.x);
            of_q += dot4U8Packed(v3.x, ones_at(k + 1536u));
            s += dots(plane_words(j + 416u), v3.y);
            of_q += dot4U8Packed(v3.y, ones_at(k + 1664u));
            s += dots(plane_words(j + 448u), v3.z);
            of_q += dot4U8Packed(v3.z, ones_at(k + 1792u));
            s += dots(plane_words(j + 480u), v3.w);
            of_q += dot4U8Packed(v3.w, ones_at(k + 1920u));
            at_word += 512u;
        }
    }
    add_up(mine, s, of_q);
    workgroupBarrier();
    let outputs = SIZE >> 5u;
    if (local < outputs) {
        give_out(r, col_group * outputs + local, local);
    }
}

// Words j, j + 32, j + 64, j + 96 of a row of b that begins at ``from_word``, as far as there are.
fn four_words(from_word: u32, j: u32, last: u32) -> vec4<u32> {
    return vec4<u32>(
        load_b(from_word + min(j, last)),
        load_b(from_word + min(j + 32u, last)),
        load_b(from_word + min(j + 64u, last)),
        load_b(from_word + min(j + 96u, last)),
    );
}

fn element(r: u32, c: u32) -> u32 {
    let i = 2u * (r * p.n[6] + c);
    let j = 2u * (p.rows * p.n[6] + r);
    let product = vec2<u32>(scratch[i], scratch[i + 1u]);
    return finish_product(wide_of(product), vec2<u32>(scratch[j], scratch[j + 1u]));
}
//! include pull
