// The sign of x: 1, 0 or -1. Unlike WGSL's sign, it returns x itself if x is not finite, so that divergence shows.
fn sign_of(x: f32) -> f32 {
    return select(x, select(select(0.0, -1.0, x < 0.0), 1.0, x > 0.0), is_finite(x));
}
