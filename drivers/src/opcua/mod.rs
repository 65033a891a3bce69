//! OPC UA: values that a server brings by itself, and set-points that are written and read back.
//!
//! * [`pki`]: who is who, and who is trusted.

pub mod pki;
