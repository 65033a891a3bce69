//! `user`: what a person needs to let another one in.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Context;
use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::{Failure, Outcome, say};

/// The shortest password that is taken: NIST SP 800-63B, 5.1.1.2, asks for eight; a program's password is typed once.
const LETTERS_MIN: usize = 12;
/// The longest: more is a file that somebody piped here by mistake.
const BYTES_MAX: usize = 256;

/// Prints the hash of a password for `password_hash`. The password comes from the terminal, asked twice and not shown, or
/// as one line from stdin; never from the command line, where everybody on the computer could read it.
///
/// # Errors
/// The password is too short or too long, or the two are not the same.
pub fn hash() -> Outcome {
    let stdin = io::stdin();
    let password = if stdin.is_terminal() {
        let first = ask("password: ")?;
        if ask("the same again: ")? != first {
            return Err(Failure::Usage("the two passwords are not the same".to_owned()));
        }
        first
    } else {
        line_of(stdin.lock())?
    };
    say(&format!("{}\n", hashed(&password)?))
}

/// The hash with the parameters that OWASP recommends for Argon2id, 19 MiB and 2 passes, which are the library's own.
fn hashed(password: &str) -> Result<String, Failure> {
    if password.chars().count() < LETTERS_MIN {
        return Err(Failure::Usage(format!("a password has at least {LETTERS_MIN} letters")));
    }
    if password.len() > BYTES_MAX || password.chars().any(char::is_control) {
        return Err(Failure::Usage(format!("a password is one line of at most {BYTES_MAX} bytes")));
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| Failure::Running(anyhow::anyhow!("no hash could be made: {error}")))
}

fn line_of(input: impl BufRead) -> Result<String, Failure> {
    let mut line = String::new();
    input.take(BYTES_MAX as u64 + 2).read_line(&mut line).context("the password could not be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks at the terminal, without showing what is typed. What was changed at the terminal is changed back whatever comes.
fn ask(what: &str) -> Result<String, Failure> {
    let stdin = io::stdin();
    let before = tcgetattr(&stdin).map_err(io::Error::from).context("the terminal does not answer")?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let _ = write!(io::stderr(), "{what}");
    tcsetattr(&stdin, OptionalActions::Flush, &silent)
        .map_err(io::Error::from)
        .context("the terminal shows what is typed")?;
    let line = line_of(stdin.lock());
    let _ = tcsetattr(&stdin, OptionalActions::Flush, &before);
    let _ = writeln!(io::stderr());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opcua_server::is_right;

    #[test]
    fn a_hash_knows_its_password_and_no_other_and_is_never_the_same_twice() {
        let (one, other) = (hashed("correct horse battery").unwrap(), hashed("correct horse battery").unwrap());
        assert!(is_right("correct horse battery", &one) && !is_right("correct horse batterz", &one) && one != other);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(!is_right("", "not a hash"));
    }

    #[test]
    fn a_password_that_is_none_is_refused() {
        for wrong in ["", "short", "eleven lett", "two lines\nof text", &"x".repeat(300)] {
            assert!(hashed(wrong).is_err(), "{wrong}");
        }
        assert_eq!(line_of(&b"a long password\r\nand more"[..]).unwrap(), "a long password");
    }
}
