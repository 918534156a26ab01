// Convolutions as matrix products of which one side is never in memory: the windows of maps [channels, height, width, batch].
//
// With the examples innermost, a position of an output map and an example are one column of the product, neighbours in memory
// as they are in it.
//
// The kernel that uses this part has the parameters of a convolution: batch, in_channels, .., padding.

// A column of a product: row and column of a map, and the example.
struct Place {
    row: u32,
    column: u32,
    example: u32,
}

fn place_of(n: u32, width: u32) -> Place {
    let position = n / params.batch;
    return Place(position / width, position % width, n % params.batch);
}

// A row of the windows: a channel, and row and column within its window.
struct Tap {
    channel: u32,
    row: u32,
    column: u32,
}

fn tap_of(k: u32) -> Tap {
    let area = params.kernel * params.kernel;
    let within = k % area;
    return Tap(k / area, within / params.kernel, within % params.kernel);
}

fn taps() -> u32 {
    return params.kernel * params.kernel;
}

// The number of columns of a product over the output's positions.
fn output_places() -> u32 {
    return params.out_height * params.out_width * params.batch;
}

// Where the input has what tap k sees from output place n, or OUTSIDE in the padding.
fn input_at(k: u32, n: u32) -> u32 {
    let tap = tap_of(k);
    let place = place_of(n, params.out_width);
    // Before the padding is taken off, nothing is negative; after it, what was wraps round and is too large.
    let row = place.row * params.stride + tap.row - params.padding;
    let column = place.column * params.stride + tap.column - params.padding;
    if row >= params.in_height || column >= params.in_width {
        return OUTSIDE;
    }
    return ((tap.channel * params.in_height + row) * params.in_width + column) * params.batch + place.example;
}

const OUTSIDE: u32 = 0xffffffffu;
