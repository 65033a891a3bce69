//! What it was measured on.

use std::fs;

/// A paragraph for the table's head.
pub fn described() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map(|(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = first_number(&fs::read_to_string("/proc/meminfo").unwrap_or_default()) / 1024.0 / 1024.0;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("Linux").trim_matches('"');
    let load = first_number(&fs::read_to_string("/proc/loadavg").unwrap_or_default());
    let busy = if load > 0.5 { "; **something else is running: measure again on a quiet machine**" } else { "" };
    format!(
        "Machine: {}, {cores} cores, {memory:.0} GiB, {system}, Linux {}; load of the last minute before the start {load:.2}{busy}.\n",
        model.unwrap_or("a processor without a name"),
        kernel.trim(),
    )
}

fn first_number(text: &str) -> f64 {
    text.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or(0.0)
}
