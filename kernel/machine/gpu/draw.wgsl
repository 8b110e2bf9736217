//! include finish blend
// Over, Tile and Zoom: each element of d finds its source.

// Constants of a specialised kernel: its opcode (0: as the parameters say), and 1 if elements move
// as they are.
override OP: u32 = 0u;
override PLAIN: u32 = 0u;

const OVER: u32 = 79u; // O
const TILE: u32 = 116u; // t

// A raw element of class ``kind`` as an element of d; in pixel mode words move unchanged.
fn moved(raw: u32, kind: u32) -> u32 {
    if (PLAIN == 1u || (p.d.unit == 4u && p.d.kind == KIND_P)) {
        return raw;
    }
    return convert(raw, kind, p.d.kind);
}

fn op_over(r: u32, c: u32) -> u32 {
    return blend(raw_a(r, c), raw_b(r, c));
}

// Where a tile's element is: row and column of the map and row and column within the tile.
// n[0]: rows of a tile; n[1]: tiles of the stack; a tile has b's columns.
fn place_of(r: u32, c: u32) -> vec4<u32> {
    let row = r / p.n[0];
    let col = c / p.b.cols;
    return vec4<u32>(row, col, r - row * p.n[0], c - col * p.b.cols);
}

// The first row in the stack of the tile for element (row, col) of the map.
fn tile_row(row: u32, col: u32) -> u32 {
    // A negative number is beyond every stack when taken as unsigned.
    let number = u32(floor_of(raw_a(row, col), p.a.kind));
    return select(0u, number * p.n[0], number < p.n[1]);
}

fn op_tile(r: u32, c: u32) -> u32 {
    if (p.n[1] == 0u) {
        return 0u;
    }
    let place = place_of(r, c);
    return moved(raw_b(tile_row(place.x, place.y) + place.z, place.w), p.b.kind);
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
    // Long division: the quotient is below size, so it has no more bits, and what stands above those
    // bits of the product is below the divisor.
    let product = mul_wide(odd, size);
    let bits = 32u - countLeadingZeros(size);
    var rest = u64_shr(product, bits).x;
    var quotient = 0u;
    for (var bit = bits; bit > 0u; bit--) {
        let carry = rest >> 31u;
        rest = (rest << 1u) | ((product.x >> (bit - 1u)) & 1u);
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
    switch select(OP, p.op, OP == 0u) {
        case OVER: { return op_over(r, c); }
        case TILE: { return op_tile(r, c); }
        default: { return op_zoom(r, c); }
    }
}

// Bytes c..c+3 of row r of the result.
fn four(r: u32, c: u32) -> u32 {
    if (PLAIN == 1u && OP == TILE && p.n[1] != 0u) {
        let place = place_of(r, c);
        if (is_run(p.b, place.w)) {
            return run_b(tile_row(place.x, place.y) + place.z, place.w);
        }
    }
    return four_elements(r, c);
}
//! include runs pull pull_rows
