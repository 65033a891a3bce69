//! What a server can do to its client, drawn from a seed.

use std::time::Duration;

use heatstation_drivers::settings::Framing;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep};

use crate::peer::{Question, TIMEOUT};

/// Plays one trick; false ends the connection.
pub async fn play(
    stream: &mut (impl AsyncWrite + Unpin),
    question: &Question,
    rng: &mut StdRng,
    kept: &mut Vec<u8>,
) -> bool {
    let true_pdu = question.truth(0);
    let mut frame = question.frame(&true_pdu);
    let trick = rng.random_range(0..400_u32);
    match trick {
        // Late, on the line that asked: from before the time-out to after the silence that follows it.
        0..4 => sleep(TIMEOUT.mul_f64(rng.random_range(0.8..3.5))).await,
        // Never here, but on whichever connection comes next.
        4..6 => {
            *kept = frame;
            sleep(TIMEOUT * 2).await;
            return false;
        }
        6..18 => frame = lie(question, &true_pdu, trick, rng),
        // Byte count and length that do not fit, under a checksum that does.
        18..20 => {
            let mut pdu = true_pdu.clone();
            pdu[1] ^= 2;
            frame = question.frame(&pdu);
        }
        20..24 => garble(&mut frame, rng),
        // Cut off; with something glued to it; twice.
        24..26 => {
            frame.truncate(rng.random_range(0..frame.len()));
            let _ = stream.write_all(&frame).await;
            return false;
        }
        26..28 => frame.extend_from_slice(&[0; 5]),
        28..30 => frame = [&frame[..], &frame[..]].concat(),
        // The true answer to the next question, already now.
        30..32 => {
            let next = question.next();
            frame = [frame, next.frame(&next.truth(1))].concat();
        }
        // Exceptions, good and bad.
        32..36 => frame = question.frame(&[true_pdu[0] | 0x80, rng.random_range(0..=255)]),
        36..37 => frame = question.frame(&[true_pdu[0] | 0x80, 2, 0]),
        37..38 => frame = question.frame(&[]),
        // Noise under a true header, and without.
        38..42 => {
            let noise: Vec<u8> = (0..rng.random_range(1..240)).map(|_| rng.random_range(0..=255)).collect();
            frame = question.frame(&[&[rng.random_range(0..=127) | 0x40], &noise[..]].concat());
        }
        42..44 => frame = (0..rng.random_range(1..2000)).map(|_| rng.random_range(0..=255)).collect(),
        44..46 => return false,
        // Endless, as far as a moment has no end.
        46..47 => {
            let end = Instant::now() + TIMEOUT * 2;
            while Instant::now() < end && stream.write_all(&[0; 512]).await.is_ok() {}
            return false;
        }
        // True, in pieces: the driver must take it.
        47..67 => {
            for byte in frame {
                if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
                    return false;
                }
                tokio::task::yield_now().await;
            }
            return true;
        }
        // True, and once more a moment later. Only where an answer bears a number: without one, a repetition that comes later
        // than the silence between two questions cannot be known, and on a busy machine a moment has no upper bound.
        67..69 if question.framing == Framing::Mbap => {
            let _ = stream.write_all(&frame).await;
            let _ = stream.flush().await;
            sleep(Duration::from_micros(200)).await;
        }
        _ => {}
    }
    stream.write_all(&frame).await.is_ok() && stream.flush().await.is_ok()
}

/// A sound frame that is not the answer.
fn lie(question: &Question, true_pdu: &[u8], trick: u32, rng: &mut StdRng) -> Vec<u8> {
    let mut other = question.clone();
    let unit = other.header.len() - 1;
    match (trick, question.framing) {
        // Another unit, number, protocol, function.
        (6..8, _) | (8..12, Framing::Rtu) => other.header[unit] ^= 1 << rng.random_range(0..8),
        (8..10, Framing::Mbap) => other.header[rng.random_range(0..2)] ^= 1 << rng.random_range(0..8),
        (10..12, Framing::Mbap) => other.header[rng.random_range(2..4)] ^= 1,
        (12..14, _) => return question.frame(&[&[true_pdu[0] ^ 7], &true_pdu[1..]].concat()),
        // A register too few, or too many.
        (14..16, _) if true_pdu.len() > 4 => {
            let mut short = true_pdu[..true_pdu.len() - 2].to_vec();
            short[1] -= 2;
            return question.frame(&short);
        }
        _ => {
            let mut long = [true_pdu, &[0, 0]].concat();
            long[1] = long[1].wrapping_add(2);
            return question.frame(&long);
        }
    }
    other.frame(true_pdu)
}

/// Bits that fell over on the way. TCP has a checksum of its own, so there only the header is made not to fit.
fn garble(frame: &mut [u8], rng: &mut StdRng) {
    match frame {
        [_, _, 0, 0, high, low, ..] if *high == 0 && rng.random_range(0..2) == 0 => *low ^= 1,
        [_, _, 0, 0, high, ..] if *high == 0 => *high = 0xFF,
        frame => {
            for _ in 0..rng.random_range(1..=3) {
                let place = rng.random_range(0..frame.len());
                frame[place] ^= 1 << rng.random_range(0..8);
            }
        }
    }
}
