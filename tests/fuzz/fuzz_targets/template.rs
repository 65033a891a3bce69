#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| heatstation_fuzz::template(data));
