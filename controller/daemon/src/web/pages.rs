//! The files of the page: no build step, no framework, embedded in the program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Problem;

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    tag: String,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! asset {
    ($name:literal, $kind:expr) => {
        ($name, $kind, include_str!(concat!("../../assets/", $name)))
    };
}

/// What a browser may ask for under `/assets/`. A closed list: there is no path to walk out of.
const FILES: [(&str, &str, &str); 13] = [
    asset!("index.html", "text/html; charset=utf-8"),
    asset!("base.css", STYLE),
    asset!("panels.css", STYLE),
    asset!("app.js", SCRIPT),
    asset!("chart.js", SCRIPT),
    asset!("circuit.js", SCRIPT),
    asset!("demo.js", SCRIPT),
    asset!("dom.js", SCRIPT),
    asset!("format.js", SCRIPT),
    asset!("panels.js", SCRIPT),
    asset!("schematic.js", SCRIPT),
    asset!("words.js", SCRIPT),
    asset!("icon.svg", "image/svg+xml"),
];

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |(name, kind, text): (&'static str, &'static str, &'static str)| {
        let digest = Sha256::digest(text.as_bytes());
        let number = digest.iter().take(12).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let tag = format!("\"{number:024x}\"");
        Asset { name, kind, text, tag }
    };
    FILES.into_iter().map(asset).collect()
});

pub(super) async fn page(headers: HeaderMap) -> Response {
    answer("index.html", &headers)
}

pub(super) async fn asset(name: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    match name {
        Ok(Path(name)) => answer(&name, &headers),
        Err(_) => Problem::bad_request("the address cannot be read").into_response(),
    }
}

fn answer(name: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return Problem::not_found("there is no such file").into_response();
    };
    // Asked again each time, sent again only when changed: after an update the page and its program belong together.
    let fixed = [(header::ETAG, asset.tag.as_str()), (header::CACHE_CONTROL, "no-cache")];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == asset.tag)) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (fixed, [(header::CONTENT_TYPE, asset.kind)], asset.text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_station_cannot_become_markup() {
        let forbidden = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "createContextualFragment",
            "DOMParser",
            "srcdoc",
            "javascript:",
            "setTimeout(\"",
            "setTimeout('",
        ];
        for (name, _, text) in FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT) {
            for word in forbidden {
                assert!(!text.contains(word), "{name} has {word}");
            }
        }
    }

    #[test]
    fn the_page_carries_nothing_that_its_policy_forbids() {
        let (_, _, html) = FILES.iter().find(|(name, ..)| *name == "index.html").unwrap();
        for word in ["<style", " style=", " onclick", " onload", "http://", "https://"] {
            assert!(!html.contains(word), "{word}");
        }
        assert_eq!(html.matches("<script").count(), html.matches("<script type=\"module\" src=\"/assets/").count());
    }

    #[test]
    fn every_file_that_the_page_names_is_served_and_every_file_is_named() {
        for (name, ..) in FILES.iter().filter(|(name, ..)| *name != "index.html") {
            let named = FILES.iter().any(|(_, _, text)| {
                text.contains(&format!("/assets/{name}")) || text.contains(&format!("\"./{name}\""))
            });
            assert!(named, "nobody names {name}");
        }
        for (file, _, text) in FILES {
            for import in text.split(" from \"./").skip(1) {
                let import = import.split('"').next().unwrap();
                assert!(FILES.iter().any(|(name, ..)| *name == import), "{file} imports {import}");
            }
        }
    }

    #[test]
    fn files_stay_readable() {
        for (name, _, text) in FILES {
            assert!(text.lines().count() < 600, "{name}");
        }
    }
}
