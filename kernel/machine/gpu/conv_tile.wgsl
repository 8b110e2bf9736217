//! include finish conv_edges
// Convolution of bytes: a workgroup makes a rectangle of the result from a tile of a, with what the
// kernel reads around it, in workgroup memory.  A word of the tile is 4 bytes side by side: a pixel,
// or 4 elements.  An invocation makes 4 elements at a time from such words.
// n[0]: words across a rectangle, as a power of 2; n[1]: rows of it that an invocation makes, 256
// words apart; n[2]: rectangles across; total: rectangles; n[3]: words of a row of the tile;
// n[4]: rows of it; n[5]: fraction bits of the sums; n[6]: 1 if coordinates wrap.

override CHANNELS: u32 = 1u;

// Taps whose weights are held at a time: so many products of a byte and 16 bits fit in 32 bits,
// 256 * 255 * 65535 < 2^32.
const TAPS: u32 = 256u;
// Weights whose magnitudes add up to less than this times a byte stay below 2^31.
const NARROW: u32 = 0x800000u;

var<workgroup> tile: array<u32, 3072>;
var<workgroup> weights: array<i32, 256>;
var<workgroup> magnitude: atomic<u32>;

// Four 64-bit sums.
struct Sums {
    low: vec4<u32>,
    high: vec4<u32>,
}

fn add(a: Sums, low: vec4<u32>, high: vec4<u32>) -> Sums {
    let sum = a.low + low;
    let carry = select(vec4<u32>(0u), vec4<u32>(1u), sum < a.low);
    return Sums(sum, a.high + high + carry);
}

fn four(word: u32) -> vec4<u32> {
    return (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xFFu);
}

// The word of a's row ``row`` that stands at word x of the tile of a rectangle from word ``first``.
fn load_word(row: u32, first: u32, x: u32) -> u32 {
    let half = p.b.cols / 2u;
    let wrapped = p.n[6] == 1u;
    let start = p.a.offset + row * p.a.row_step;
    if (CHANNELS == 4u) {
        return load_a((start >> 2u) + place(first + x, half, p.a.cols / 4u, wrapped));
    }
    let sum = 4u * (first + x);
    if (sum >= half && sum - half + 3u < p.a.cols) {
        let i = start + (sum - half);
        let shift = (i & 3u) * 8u;
        let low = load_a(i >> 2u) >> shift;
        if (shift == 0u) {
            return low;
        }
        return low | (load_a((i >> 2u) + 1u) << (32u - shift));
    }
    var value = 0u;
    for (var k = 0u; k < 4u; k++) {
        let i = start + place(sum + k, half, p.a.cols, wrapped);
        value |= byte_of(load_a(i >> 2u), i) << (8u * k);
    }
    return value;
}

// The four bytes that tap column v meets for the word of the tile's row that starts at ``base``.
fn tap_word(base: u32, v: u32) -> u32 {
    if (CHANNELS == 4u) {
        return tile[base + v];
    }
    let i = base + (v >> 2u);
    let shift = (v & 3u) * 8u;
    return (tile[i] >> shift) | ((tile[i + 1u] << (31u - shift)) << 1u);
}

// Taps first..end-1, whose weights are held, for the word whose corner is ``corner`` in the tile.
fn add_taps(sums: Sums, corner: u32, first: u32, end: u32) -> Sums {
    var u = first / p.b.cols;
    var v = first - u * p.b.cols;
    var base = corner + u * p.n[3];
    let count = end - first;
    if (atomicLoad(&magnitude) < NARROW) {
        var sum = vec4<i32>(0);
        for (var k = 0u; k < count; k++) {
            sum += vec4<i32>(four(tap_word(base, v))) * weights[k];
            v++;
            if (v == p.b.cols) {
                v = 0u;
                base += p.n[3];
            }
        }
        return add(sums, vec4<u32>(sum), vec4<u32>(sum >> vec4<u32>(31u)));
    }
    var low = vec4<u32>(0u);
    var high = vec4<i32>(0);
    for (var k = 0u; k < count; k++) {
        let bytes = four(tap_word(base, v));
        low += bytes * (u32(weights[k]) & 0xFFFFu);
        high += vec4<i32>(bytes) * (weights[k] >> 16u);
        v++;
        if (v == p.b.cols) {
            v = 0u;
            base += p.n[3];
        }
    }
    let shifted = add(sums, low, vec4<u32>(0u));
    return add(shifted, vec4<u32>(high) << vec4<u32>(16u), vec4<u32>(high >> vec4<u32>(16u)));
}

// Elements of d for four sums that are words.
fn finish_words(v: vec4<i32>, fraction: u32, kind: u32) -> vec4<u32> {
    if (kind == KIND_I) {
        return vec4<u32>(v >> vec4<u32>(min(fraction, 31u)));
    }
    if (kind == KIND_X) {
        if (fraction == 16u) {
            return vec4<u32>(v);
        }
        if (fraction == 32u) {
            return vec4<u32>(((v >> vec4<u32>(15u)) + 1) >> vec4<u32>(1u));
        }
        let limited = clamp(v, vec4<i32>(-32768), vec4<i32>(32767)) << vec4<u32>(16u);
        return select(vec4<u32>(limited), vec4<u32>(0x7FFFFFFFu), v > vec4<i32>(32767));
    }
    var rounded = v;
    if (fraction != 0u) {
        rounded = ((v >> vec4<u32>(fraction - 1u)) + 1) >> vec4<u32>(1u);
    }
    return vec4<u32>(clamp(rounded, vec4<i32>(0), vec4<i32>(255)));
}

fn finish_sums(sums: Sums, fraction: u32, kind: u32) -> vec4<u32> {
    if (all(sums.high == vec4<u32>(vec4<i32>(sums.low) >> vec4<u32>(31u)))) {
        return finish_words(vec4<i32>(sums.low), fraction, kind);
    }
    return vec4<u32>(
        finish64(vec2<u32>(sums.low.x, sums.high.x), fraction, kind),
        finish64(vec2<u32>(sums.low.y, sums.high.y), fraction, kind),
        finish64(vec2<u32>(sums.low.z, sums.high.z), fraction, kind),
        finish64(vec2<u32>(sums.low.w, sums.high.w), fraction, kind),
    );
}

// Store elements 4w..4w+3 of row r.
fn store_four(r: u32, w: u32, sums: Sums) {
    let found = finish_sums(sums, p.n[5], p.d.kind);
    let c = 4u * w;
    let left = p.d.cols - c;
    if (p.d.unit == 1u) {
        let i = at(p.d, r, c) >> 2u;
        var value = found.x | (found.y << 8u) | (found.z << 16u) | (found.w << 24u);
        if (left < 4u) {
            let mask = (1u << (8u * left)) - 1u;
            value = (value & mask) | (load_d(i) & ~mask);
        }
        store_d(i, value);
        return;
    }
    store_d(at(p.d, r, c), found.x);
    if (left > 1u) {
        store_d(at(p.d, r, c + 1u), found.y);
    }
    if (left > 2u) {
        store_d(at(p.d, r, c + 2u), found.z);
    }
    if (left > 3u) {
        store_d(at(p.d, r, c + 3u), found.w);
    }
}

@compute @workgroup_size(256)
fn convolve(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let number = group.y * groups.x + group.x;
    if (faulted_uniform(local) || number >= p.total) {
        return;
    }
    let across = 1u << p.n[0];
    let down = 256u >> p.n[0];
    let row = number / p.n[2] * (down * p.n[1]);
    let first = number % p.n[2] * across;
    for (var i = local; i < p.n[3] * p.n[4]; i += 256u) {
        let y = i / p.n[3];
        let source = place(row + y, p.b.rows / 2u, p.a.rows, p.n[6] == 1u);
        tile[i] = load_word(source, first, i - y * p.n[3]);
    }
    let x = local & (across - 1u);
    let taps = p.b.rows * p.b.cols;
    for (var step = 0u; step < p.n[1]; step++) {
        let y = step * down + (local >> p.n[0]);
        var sums = Sums(vec4<u32>(0u), vec4<u32>(0u));
        for (var held = 0u; held < taps; held += TAPS) {
            if (step == 0u || taps > TAPS) {
                workgroupBarrier();
                if (local == 0u) {
                    atomicStore(&magnitude, 0u);
                }
                workgroupBarrier();
                let t = held + local;
                if (t < taps) {
                    let u = t / p.b.cols;
                    let weight = i32(raw_b(u, t - u * p.b.cols));
                    weights[local] = weight;
                    let size = select(u32(weight), 0u - u32(weight), weight < 0);
                    atomicAdd(&magnitude, min(size, NARROW));
                }
                workgroupBarrier();
            }
            sums = add_taps(sums, y * p.n[3] + x, held, min(taps, held + TAPS));
        }
        if (row + y < p.d.rows && 4u * (first + x) < p.d.cols) {
            store_four(row + y, first + x, sums);
        }
    }
}
