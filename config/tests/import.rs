//! A maker's list becomes a draft: what can be read without doubt is read, nothing is guessed, nothing is lost.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;

use heatstation_config::check;
use heatstation_config::import::{AddressBase, import_csv, load};

const LIST: &str = "\
测点名称,寄存器地址,数据类型,系数,单位,功能码
室外温度,40001,INT16,×0.1,℃,
一次供水压力,40003,FLOAT CDAB,,MPa,
1#循环泵运行,00001,,,,线圈
2#循环泵运行,00006,,,,线圈
1#循环泵电流,40101,UINT16,/10,A,
2#循环泵电流,40121,UINT16,/10,A,
冷却塔水位,40200,INT16,0.01,m,
电动阀开度给定,40050,无符号16,0.1,%,
";

#[test]
fn a_chinese_list_becomes_blocks_with_strides_and_a_remark() {
    let draft = import_csv("list.csv", LIST, AddressBase::Modicon).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((draft.taken, draft.left), (7, 1));
    for line in [
        "{ point = \"outdoor.temperature\", address = 0, encoding = \"i16\", scale = 0.1, unit = \"celsius\" }",
        "{ point = \"primary_supply.pressure\", address = 2, encoding = \"f32\", order = \"cdab\", unit = \"megapascals\" }",
        "stride = 5\nmost = 2\npoint = [\n  { point = \"running\", address = 0 }",
        "stride = 20\nmost = 2\npoint = [\n  { point = \"current\", address = 100, encoding = \"u16\", scale = 0.1, unit = \"amperes\" }",
        "{ point = \"valve.position\", address = 49, encoding = \"u16\", scale = 0.1, unit = \"percent\" }",
        "# no point of ours, line 8: 冷却塔水位 | 40200",
    ] {
        assert!(draft.template.contains(line), "{line}\n is not in\n{}", draft.template);
    }
}

#[test]
fn the_draft_is_a_template_that_a_station_can_use() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("devices")).unwrap();
    let draft = import_csv("list.csv", LIST, AddressBase::Modicon).unwrap();
    fs::write(folder.path().join("devices/mine.toml"), draft.template).unwrap();
    let text = include_str!("../stations/minimal.toml").replace(
        "template = \"generic/exchange-station-plc\"",
        "template = \"generic/exchange-station-plc\"\nwithout = [\"outdoor.temperature\", \"primary_supply.pressure\", \"circuit.low-zone.circulation_pump.1.running\", \"circuit.low-zone.circulation_pump.2.running\", \"circuit.low-zone.circulation_pump.1.current\", \"circuit.low-zone.circulation_pump.2.current\", \"circuit.low-zone.valve.position\"]\n[[device]]\nname = \"mine\"\nmodbus_unit = 2\ntemplate = \"mine\"",
    );
    let station = check("station.toml", &text, Some(folder.path())).unwrap_or_else(|problems| panic!("{problems}"));
    let mine = station.wires[0].devices.iter().find(|device| device.name == "mine").unwrap();
    let address = |point: &str| mine.registers.iter().find(|register| register.name() == point).unwrap().address;
    assert_eq!(address("circuit.low-zone.circulation_pump.2.running"), 5);
    assert_eq!(address("circuit.low-zone.circulation_pump.2.current"), 120);
    assert_eq!(mine.registers.len(), 7);
}

#[test]
fn an_english_list_counts_its_addresses_as_it_is_told() {
    let list = "Name;Register;Type;Scale\nprimary.flow;0x10;REAL;0.5\nsecondary_supply.temperature;2006H;s16;\n";
    let at = |base| import_csv("list.csv", list, base).unwrap().template;
    assert!(at(AddressBase::Zero).contains("point = \"primary.flow\", address = 16, encoding = \"f32\", scale = 0.5"));
    assert!(at(AddressBase::One).contains("point = \"primary.flow\", address = 15"));
    assert!(at(AddressBase::Zero).contains("address = 8198, encoding = \"i16\""));
}

#[test]
fn every_row_that_cannot_be_read_is_told_with_its_line() {
    let list = "name,address,type,unit\n室外温度,many,int16,\n一次供水温度,7,complex,\n一次供水压力,8,float,℃\n";
    let problems = import_csv("list.csv", list, AddressBase::Zero).unwrap_err();
    let told: Vec<(usize, &str)> = problems.list().iter().map(|one| (one.line, one.what.as_str())).collect();
    assert_eq!(
        told,
        [
            (2, "\"many\" is no address"),
            (3, "\"complex\" is no type of data"),
            (4, "\"℃\" is no unit of a point in pascals"),
        ]
    );
    let problems = import_csv("list.csv", "point,type\nprimary.flow,f32\n", AddressBase::Zero).unwrap_err();
    assert!(problems.list()[0].help.contains("地址"), "{problems}");
}

#[test]
fn a_file_of_other_bytes_says_how_it_becomes_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gbk.csv");
    // 名称 in GBK.
    fs::write(&path, [0xC3, 0xFB, 0xB3, 0xC6, b'\n']).unwrap();
    let problems = load(&path, AddressBase::Zero).unwrap_err();
    assert!(problems.to_string().contains("iconv -f GBK -t UTF-8"), "{problems}");
}
