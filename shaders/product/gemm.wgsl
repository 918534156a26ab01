// result = alpha addend + beta op(a) op(b), where op transposes, or not: BLAS's GEMM, but for the result, which has a tensor of its own

override a_transposed: u32;
override b_transposed: u32;

struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
    alpha: f32,
    beta: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> a: array<f32>; // [rows, depth], or [depth, rows] where it is transposed
@group(0) @binding(3) var<storage, read> b: array<f32>; // [depth, columns], or [columns, depth]
@group(0) @binding(4) var<storage, read> addend: array<f32>; // [rows, columns]; not read where alpha is 0
@group(0) @binding(5) var<storage, read_write> result: array<f32>; // [rows, columns]

// Known as the pipeline is made; a `const` may not depend on that.
var<private> A_K_CONTIGUOUS: bool = a_transposed == 0u;
var<private> B_K_CONTIGUOUS: bool = b_transposed != 0u;

fn product_rows() -> u32 {
    return params.rows;
}

fn product_depth() -> u32 {
    return params.depth;
}

fn a_at(m: u32, k: u32) -> f32 {
    if m < params.rows && k < params.depth {
        return a[select(m * params.depth + k, k * params.rows + m, a_transposed != 0u)];
    }
    return 0.0;
}

fn b_at(k: u32, n: u32) -> f32 {
    if k < params.depth && n < params.columns {
        return b[select(k * params.columns + n, n * params.depth + k, b_transposed != 0u)];
    }
    return 0.0;
}

fn store(m: u32, n: u32, product: f32) {
    if m < params.rows && n < params.columns {
        let at = m * params.columns + n;
        var value = params.beta * product;
        if params.alpha != 0.0 {
            value += params.alpha * addend[at];
        }
        result[at] = value;
    }
}
