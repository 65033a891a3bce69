//! Links lead somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::sources::files;
use crate::tables::root;

/// What a page's headings are called in addresses: small letters, digits and dashes.
pub fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let plain = headings.map(|heading| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || ['-', '_', ' '].contains(c));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    plain.collect()
}

/// The links of a page that lead nowhere.
pub fn dead_links(page: &Path, text: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let ours = links.filter(|link| !link.contains("://") && !link.contains(char::is_whitespace));
    ours.filter(|link| {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let to = if file.is_empty() { page.to_owned() } else { page.parent().unwrap().join(file) };
        let known = |anchor: &str| fs::read_to_string(&to).is_ok_and(|text| anchors(&text).contains(anchor));
        !to.exists() || (!anchor.is_empty() && !known(anchor))
    })
    .map(|link| format!("{}: {link}", page.display()))
    .collect()
}

#[test]
fn no_link_of_a_page_is_dead() {
    let pages = files(&root(), "md");
    assert!(pages.len() > 15, "{pages:?}");
    let dead: Vec<String> =
        pages.iter().flat_map(|page| dead_links(page, &fs::read_to_string(page).unwrap())).collect();
    assert!(dead.is_empty(), "\n{}", dead.join("\n"));
    let page = root().join("README.md");
    for link in ["nowhere.md", "CHANGELOG.md#nowhere", "#nowhere"] {
        assert_eq!(dead_links(&page, &format!("see [there]({link}).")).len(), 1, "{link} goes unseen");
    }
}
