//! Web.

#[cfg(test)]
pub(crate) mod canned;
