//! Profiles as traces in Chrome's format, for Perfetto (ui.perfetto.dev) and chrome://tracing.

use serde_json::{Value, json};

use super::Profile;

impl Profile {
    /// The trace, with one complete event per launch and times in microseconds. Source: "Trace Event Format", the
    /// Chromium project.
    pub fn trace(&self) -> Value {
        let names = [("process_name", self.device.as_str()), ("thread_name", self.phase.name())]
            .map(|(what, name)| json!({"name": what, "ph": "M", "pid": 1, "tid": 1, "args": {"name": name}}));
        let events = self.spans.iter().map(|span| {
            let launch = &self.launches[span.launch];
            json!({
                "name": format!("{} -> {}", launch.kernel.name, launch.output),
                "cat": "launch",
                "ph": "X",
                "pid": 1,
                "tid": 1,
                "ts": span.begin.as_secs_f64() * 1e6,
                "dur": span.seconds() * 1e6,
                "args": {"step": span.step, "flops": launch.flops, "bytes": launch.bytes},
            })
        });
        json!({"displayTimeUnit": "ns", "traceEvents": names.into_iter().chain(events).collect::<Vec<_>>()})
    }
}
