//! `token`: a secret for a source that posts, shown once.

use rand::Rng;
use sha2::{Digest, Sha256};

use super::{Outcome, say};

/// Makes a token and the line by which a station knows it. The token itself is kept nowhere.
///
/// # Errors
/// If stdout takes no more.
pub fn new() -> Outcome {
    let mut bits = [0_u8; 32];
    rand::rng().fill_bytes(&mut bits);
    let token = hexadecimal(&bits);
    let hash = hexadecimal(&Sha256::digest(token.as_bytes()));
    say(&format!(
        "token, for the source; it is not shown again:\n  {token}\nfor the station's file, under its [[push]]:\n  token_sha256 = \"{hash}\"\n"
    ))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
