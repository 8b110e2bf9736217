//! include finish blend
// Over, Tile and Zoom: each element of d finds its source.

const OVER: u32 = 79u; // O
const TILE: u32 = 116u; // t

// A raw element of class ``kind`` as an element of d; in pixel mode words move unchanged.
fn moved(raw: u32, kind: u32) -> u32 {
    if (p.d.unit == 4u && p.d.kind == KIND_P) {
        return raw;
    }
    return convert(raw, kind, p.d.kind);
}

fn op_over(r: u32, c: u32) -> u32 {
    return blend(raw_a(r, c), raw_b(r, c));
}

// n[0]: rows of a tile; n[1]: tiles of the stack.
fn op_tile(r: u32, c: u32) -> u32 {
    if (p.n[1] == 0u) {
        return 0u;
    }
    let row = r / p.n[0];
    let col = c / p.b.cols;
    // A negative number is beyond every stack when taken as unsigned.
    var number = u32(floor_of(raw_a(row, col), p.a.kind));
    if (number >= p.n[1]) {
        number = 0u;
    }
    let y = number * p.n[0] + (r - row * p.n[0]);
    return moved(raw_b(y, c - col * p.b.cols), p.b.kind);
}

// floor((2 * at + 1) * size / (2 * wanted)), at < wanted < 2^31, size < 2^31.
fn nearest(at: u32, size: u32, wanted: u32) -> u32 {
    let odd = 2u * at + 1u;
    let divisor = 2u * wanted;
    if (divisor <= 0xFFFFu && size <= 0x10000u) {
        return odd * size / divisor;
    }
    if (size == wanted) {
        return at;
    }
    // Long division bit by bit; the quotient is below size, so the high word is below the divisor.
    let product = mul_wide(odd, size);
    var rest = product.y;
    var quotient = 0u;
    for (var bit = 31; bit >= 0; bit--) {
        let carry = rest >> 31u;
        rest = (rest << 1u) | ((product.x >> u32(bit)) & 1u);
        quotient = quotient << 1u;
        if (carry != 0u || rest >= divisor) {
            rest -= divisor;
            quotient |= 1u;
        }
    }
    return quotient;
}

fn op_zoom(r: u32, c: u32) -> u32 {
    if (p.a.rows == 0u || p.a.cols == 0u) {
        return 0u;
    }
    let y = nearest(r, p.a.rows, p.rows);
    let x = nearest(c, p.a.cols, p.cols);
    return moved(raw_a(y, x), p.a.kind);
}

fn element(r: u32, c: u32) -> u32 {
    switch p.op {
        case OVER: { return op_over(r, c); }
        case TILE: { return op_tile(r, c); }
        default: { return op_zoom(r, c); }
    }
}
//! include pull
