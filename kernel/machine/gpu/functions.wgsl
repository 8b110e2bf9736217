//! include finish
// Square root, Exp2, Log2 and Sine, correctly rounded for every input: raw element x of kind ka into
// kind kd.  A kernel that includes this defines ``table_word(i)``, a word of the tables that
// elementwise.py lays one behind the other.

// 2^31 * 2^(f / 65536), floored, for f in 0..65535.
const EXP2_AT: u32 = 0u;
// The least mantissa (2^31 and more) whose logarithm rounds to r / 65536 and more, for r in 0..65536;
// two words that no mantissa reaches.
const LOG2_AT: u32 = 65536u;
// The result for the first of the 2^15 mantissas that share their upper 17 bits.
const START_AT: u32 = 131075u;
// sin(2 pi k / 65536) * 65536, rounded half up, for k in 0..16384.
const SINE_AT: u32 = 196611u;

// floor(sqrt(n)), a digit at a time.
fn root32(n: u32) -> u32 {
    var rest = n;
    var root = 0u;
    for (var bit = 0x40000000u; bit != 0u; bit >>= 2u) {
        let trial = root + bit;
        root >>= 1u;
        if (rest >= trial) {
            rest -= trial;
            root += bit;
        }
    }
    return root;
}

// floor(sqrt(n)) by one step of Zimmermann's Karatsuba square root (INRIA RR-3805, 1999): the root of
// the upper half gives 16 bits, a division 16 more, which may be 1 too great.
fn root64(n: vec2<u32>) -> u32 {
    if (i64_zero(n)) {
        return 0u;
    }
    let zeros = select(countLeadingZeros(n.y), 32u + countLeadingZeros(n.x), n.y == 0u);
    let up = zeros & 62u;
    let v = i64_shl(n, up);
    let high = root32(v.y);
    // (v.y - high^2) * 2^16 + upper half of v.x, by 2 * high: 33 bits, so half of both.
    let half = ((v.y - high * high) << 15u) | (v.x >> 17u);
    let q = half / high;
    let rest = 2u * (half - q * high) + ((v.x >> 16u) & 1u);
    var root = (high << 16u) + q;
    if (u64_less(vec2<u32>((rest << 16u) | (v.x & 0xFFFFu), rest >> 16u), mul_wide(q, q))) {
        root -= 1u;
    }
    return root >> (up / 2u);
}

fn op_square_root(x: u32, ka: u32, kd: u32) -> u32 {
    let n = u32(max(i32(x), 0));
    if (kd == KIND_I) {
        return root32(n >> fraction_of(ka));
    }
    if (kd == KIND_X) {
        // sqrt(n) * 2^16 is the root of n * 2^32.
        let wide = i64_shl(vec2<u32>(n, 0u), 32u - fraction_of(ka));
        let s = root64(wide);
        let rest = i64_sub(wide, mul_wide(s, s));
        // (s + 1/2)^2 = s^2 + s + 1/4, and n is an integer
        return min(s + select(0u, 1u, rest.y != 0u || rest.x > s), 0x7FFFFFFFu);
    }
    let s = root32(n);
    if (ka == KIND_X) {
        return min((s + 128u) >> 8u, 255u);
    }
    return min(s + select(0u, 1u, n - s * s > s), 255u);
}

fn op_exp2(x: u32, ka: u32, kd: u32) -> u32 {
    var raw = i32(x);
    if (ka != KIND_X) {
        raw = clamp(raw, -19, 15) << 16u;
    }
    var value = 0u;
    if (raw >= (15 << 16u)) {
        value = 0x7FFFFFFFu;
    } else if (raw >= -(18 << 16u)) {
        // Half up of mantissa / 2^drop, drop in 1..33.
        let drop = u32(15 - (raw >> 16u));
        let half = u64_shr(vec2<u32>(table_word(EXP2_AT + (u32(raw) & 0xFFFFu)), 0u), drop - 1u).x;
        value = (half + 1u) >> 1u;
    }
    return convert(value, KIND_X, kd);
}


fn op_log2(x: u32, ka: u32, kd: u32) -> u32 {
    if (i32(x) <= 0) {
        return convert(0x80000000u, KIND_X, kd);
    }
    let zeros = countLeadingZeros(x);
    let mantissa = x << zeros;
    // Thresholds lie 22713 apart or more, so at most two of them among 2^15 mantissas.
    var steps = table_word(START_AT + ((mantissa >> 15u) & 0xFFFFu));
    let first = table_word(LOG2_AT + steps + 1u);
    let second = table_word(LOG2_AT + steps + 2u);
    steps += select(0u, 1u, mantissa >= first) + select(0u, 1u, mantissa >= second);
    let power = i32(31u - zeros) - i32(fraction_of(ka));
    return convert(u32(power << 16u) + steps, KIND_X, kd);
}

fn op_sine(x: u32, ka: u32, kd: u32) -> u32 {
    if (ka != KIND_X) {
        return 0u;  // whole turns
    }
    let phase = x & 0x7FFFu;
    let size = table_word(SINE_AT + min(phase, 0x8000u - phase));
    return convert(select(size, 0u - size, (x & 0x8000u) != 0u), KIND_X, kd);
}
