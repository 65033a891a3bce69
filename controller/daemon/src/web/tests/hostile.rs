//! What the others get: a refusal with its reason, and never an end of the program.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Rig, warm};
use crate::web::canned::Station;

#[tokio::test]
async fn addresses_that_lead_nowhere_are_told_so() {
    let rig = Rig::start(warm()).await;
    for path in [
        "/nothing",
        "/assets/",
        "/assets/nothing.js",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1",
        "/api/v2/snapshot",
        "/index.html",
        "//",
        "/metrics/",
        "/%00",
        "/assets/app.js%00.css",
    ] {
        rig.get(path).await.assert_problem(404);
    }
    let walk = rig.get("/assets/../../Cargo.toml").await;
    assert!(walk.status == 404 && !walk.body.contains("[package]"), "{walk:?}");
    rig.get("/assets/%ff%fe").await.assert_problem(400);
    assert_eq!(rig.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn wrong_methods_are_told_the_right_ones() {
    let rig = Rig::start(warm()).await;
    for (method, path) in [
        ("POST", "/"),
        ("PUT", "/api/v1/snapshot"),
        ("DELETE", "/api/v1/journal"),
        ("PATCH", "/metrics"),
        ("GET", "/demo/faults/pump-1"),
        ("BREW", "/healthz"),
        ("OPTIONS", "/api/v1/snapshot"),
    ] {
        let answer = rig.ask(method, path, &[], "").await;
        answer.assert_problem(405);
        assert!(!answer.header("allow").is_empty(), "{method} {path}: {answer:?}");
    }
    assert_eq!(rig.ask("HEAD", "/healthz", &[], "").await.body, "");
}

#[tokio::test]
async fn questions_beyond_their_bounds_are_refused_with_the_bounds() {
    let rig = Rig::start(warm()).await;
    let many = vec!["outdoor.temperature"; 17].join(",");
    for query in [
        "",
        "?points=",
        "?points=nothing",
        "?points=circuit.low-zone.secondary_suply.temperature",
        "?points=outdoor.temperature&from=9&to=9",
        "?points=outdoor.temperature&from=10&to=9",
        "?points=outdoor.temperature&from=0&to=99999999999999",
        "?points=outdoor.temperature&buckets=0",
        "?points=outdoor.temperature&buckets=2001",
        "?points=outdoor.temperature&buckets=-1",
        "?points=outdoor.temperature&from=now",
        "?points=outdoor.temperature&colour=red",
        "?points=outdoor.temperature&from=-9223372036854775808&to=9223372036854775807",
        "?points=outdoor.temperature&to=-9223372036854775808",
        &format!("?points={many}"),
        "?points=%ff",
    ] {
        rig.get(&format!("/api/v1/history{query}")).await.assert_problem(400);
    }
    let hint = rig.get("/api/v1/history?points=circuit.low-zone.secondary_suply.temperature").await.json();
    assert!(hint["detail"].as_str().unwrap().contains("did you mean circuit.low-zone.secondary_supply.temperature"));
    for query in ["?limit=0", "?limit=501", "?limit=x", "?before=-1", "?sort=up", "?limit=99999999999999999999999"] {
        rig.get(&format!("/api/v1/journal{query}")).await.assert_problem(400);
    }
    let strange = rig.get("/api/v1/journal?kind=');%20DROP%20TABLE%20journal;--").await;
    assert_eq!((strange.status, strange.json()["records"].as_array().unwrap().len()), (200, 0));
}

#[tokio::test]
async fn what_is_too_long_is_not_read() {
    let rig = Rig::start(warm()).await;
    rig.get(&format!("/{}", "a".repeat(5000))).await.assert_problem(414);
    let json = [("Content-Type", "application/json")];
    let megabyte = "x".repeat(1 << 20);
    for path in ["/demo/faults/pump-1", "/", "/api/v1/snapshot"] {
        let answer = rig.ask("POST", path, &json, &megabyte).await;
        assert!(answer.status == 413 || answer.status == 0, "{answer:?}");
    }
    let chunked = format!(
        "POST /demo/faults/pump-1 HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n100000\r\n{megabyte}\r\n0\r\n\r\n",
        rig.address
    );
    let answer = rig.send(chunked.as_bytes()).await;
    assert!(answer.status == 413 || answer.status == 0, "{answer:?}");
    let header = rig.ask("GET", "/", &[("X-Long", &"y".repeat(20_000))], "").await;
    assert!(header.status == 431 || header.status == 0, "{header:?}");
    let mut many = format!("GET / HTTP/1.1\r\nHost: {}\r\n", rig.address);
    many.extend((0..500).map(|number| format!("X-{number}: 1\r\n")));
    assert_eq!(rig.send(format!("{many}\r\n").as_bytes()).await.status, 431);
    assert_eq!(rig.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn noise_is_no_request() {
    let rig = Rig::start(warm()).await;
    let noise: [&[u8]; 8] = [
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: local\x00host\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /demo/faults/pump-1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    ];
    for bytes in noise {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).map_or(0, |status| status.parse::<u16>().unwrap());
        assert!(status == 0 || (400..500).contains(&status) || status == 505, "{bytes:?}: {answer}");
    }
    let no_host = rig.send(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    no_host.assert_problem(400);
    assert_eq!(rig.send(b"GET /healthz HTTP/1.0\r\n\r\n").await.status, 200);
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_not_answered() {
    let rig = Rig::start(warm()).await;
    for host in ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example"] {
        for path in ["/", "/metrics", "/api/v1/snapshot", "/demo/faults"] {
            rig.ask("GET", path, &[("Host", host)], "").await.assert_problem(421);
        }
    }
    for host in ["localhost", "127.0.0.1", "[::1]:80", "k12.heat.example:8080"] {
        assert_eq!(rig.ask("GET", "/healthz", &[("Host", host)], "").await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_switches_nothing() {
    let mut rig = Rig::start(warm()).await;
    let json = ("Content-Type", "application/json");
    let body = "{\"active\":true}";
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        rig.ask("POST", "/demo/faults/pump-1", &[json, ("Origin", origin)], body).await.assert_problem(403);
    }
    let cross = [json, ("Sec-Fetch-Site", "cross-site")];
    rig.ask("POST", "/demo/faults/pump-1", &cross, body).await.assert_problem(403);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"] {
        rig.ask("POST", "/demo/faults/pump-1", &[("Content-Type", kind)], body).await.assert_problem(415);
    }
    rig.ask("POST", "/demo/faults/pump-1", &[], body).await.assert_problem(415);
    rig.ask("POST", "/demo/faults/pump-9", &[json], body).await.assert_problem(404);
    for body in ["", "true", "{}", "{\"active\":1}", "{\"active\":true,\"more\":1}", "{\"active\":tr", "\u{feff}{}"] {
        rig.ask("POST", "/demo/faults/pump-1", &[json], body).await.assert_problem(400);
    }
    assert!(rig.switched.try_recv().is_err(), "nothing reached the plant");
}

#[tokio::test]
async fn every_answer_carries_its_policy() {
    let rig = Rig::start(warm()).await;
    for path in ["/", "/assets/app.js", "/metrics", "/api/v1/snapshot", "/readyz", "/nothing"] {
        let answer = rig.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(!answer.header("cache-control").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_station_with_a_script_for_a_name_is_a_station_with_a_strange_name() {
    let name = "<script>alert(1)</script>";
    let mut station = Station::new(name, &["<img src=x onerror=alert(1)>"]);
    let rig = Rig::start(Some(station.run(5))).await;
    let answer = rig.get("/api/v1/snapshot").await;
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.json()["station"]["name"], name);
    assert!(!rig.get("/").await.body.contains("alert(1)"), "the page itself holds nothing of the station");
    let problem = rig.get("/api/v1/history?points=%3Cscript%3Ealert(1)%3C/script%3E").await;
    problem.assert_problem(400);
}

#[tokio::test(start_paused = true)]
async fn a_header_that_never_ends_is_not_waited_for() {
    let rig = Rig::start(None).await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await.unwrap();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "the connection is closed");
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_idle_connections_keeps_nobody_out_for_long() {
    let rig = Rig::start(None).await;
    let mut crowd = Vec::new();
    for _ in 0..super::super::CONNECTIONS_MAX + 40 {
        crowd.push(TcpStream::connect(rig.address).await.unwrap());
    }
    assert_eq!(rig.get("/healthz").await.status, 200);
}
