//! What every request passes: whose name it calls, how long it may be and take, and what every answer carries.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::intake;
use super::problem::Problem;

/// The longest address. Browsers ask for far less; the longest of ours is a history of sixteen points.
const ADDRESS_BYTES_MAX: usize = 4096;
/// The largest body that is announced, but for what [sources](intake) bring. The only other body holds one switch.
pub(super) const BODY_BYTES_MAX: usize = 1024;
/// The longest time for an answer to begin. A season of history from a slow card takes two or three seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// No script, style or connection but our own, no frame around us, no form.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = match admit(&shared, &request) {
        Err(problem) => problem.into_response(),
        Ok(()) => match tokio::time::timeout(ANSWER_WITHIN, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::unavailable("the answer took too long; ask for less, or later").into_response(),
        },
    };
    dress(response.headers_mut());
    response
}

fn admit(shared: &Shared, request: &Request) -> Result<(), Problem> {
    if request.uri().to_string().len() > ADDRESS_BYTES_MAX {
        let detail = format!("the address is longer than {ADDRESS_BYTES_MAX} bytes");
        return Err(Problem::new(StatusCode::URI_TOO_LONG, detail));
    }
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let brings = intake::PATHS.contains(&request.uri().path());
    let most = if brings { intake::BODY_BYTES_MAX } else { BODY_BYTES_MAX };
    if announced.is_some_and(|length| length.parse::<u64>().is_ok_and(|length| length > most as u64)) {
        let detail = format!("this address takes no body of more than {most} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    let Some(host) = called_host(request.uri(), request.headers()) else {
        // HTTP/1.0 has no Host, and no browser speaks it.
        return if request.version() < Version::HTTP_11 {
            Ok(())
        } else {
            Err(Problem::bad_request("the Host header is missing or cannot be read"))
        };
    };
    if is_our_name(host, &shared.allowed_hosts) {
        return Ok(());
    }
    let detail = "this station is not called by that name: use its address, or add the name to the allowed hosts";
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail))
}

fn called_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let in_header = || headers.get(header::HOST)?.to_str().ok();
    uri.authority().map(axum::http::uri::Authority::as_str).or_else(in_header)
}

/// Against DNS rebinding: a page of another site can make its own name point at this machine, but it cannot make the
/// browser call us by an address. So addresses are welcome, and names only when they are known.
fn is_our_name(host: &str, allowed: &[String]) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => return address.parse::<IpAddr>().is_ok(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
}

/// Whether a request that changes something comes from a page of ours or from no page at all.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let from_host = |origin: &HeaderValue| {
        let origin = origin.to_str().ok()?;
        let (_, authority) = origin.split_once("://")?;
        Some(host.is_some_and(|host| host.eq_ignore_ascii_case(authority)))
    };
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    headers.get(header::ORIGIN).is_none_or(|origin| from_host(origin) == Some(true))
        && site.is_none_or(|site| site == b"same-origin" || site == b"none")
}

fn dress(headers: &mut HeaderMap) {
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What a station says is true for a second; only the page's own files say otherwise.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_known_names_are_ours_and_other_names_are_not() {
        let allowed = ["k12.heat.example".to_owned()];
        for host in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1:9464",
            "192.168.1.7",
            "[::1]:8080",
            "[fe80::1]",
            "k12.heat.example",
            "K12.HEAT.example:80",
        ] {
            assert!(is_our_name(host, &allowed), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            "[evil]",
            ":80",
        ] {
            assert!(!is_our_name(host, &allowed), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_site_changes_nothing_here() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect()
        };
        assert!(is_same_origin(&headers(&[("host", "127.0.0.1:80")])));
        assert!(is_same_origin(&headers(&[("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1:80")])));
        for origin in ["null", "http://127.0.0.1", "http://evil.example", "http://127.0.0.1:80.evil.example"] {
            assert!(!is_same_origin(&headers(&[("host", "127.0.0.1:80"), ("origin", origin)])), "{origin}");
        }
        assert!(!is_same_origin(&headers(&[("host", "127.0.0.1:80"), ("sec-fetch-site", "cross-site")])));
    }
}
