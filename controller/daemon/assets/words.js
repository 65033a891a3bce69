// The page's own words in Chinese and English. What the station says comes in both languages from the API.

const WORDS = {
  skip: ["跳到内容", "Skip to content"],
  language: ["English", "中文"],
  languageTitle: ["Switch to English", "切换到中文"],
  connecting: ["正在连接…", "connecting…"],
  connected: ["实时", "live"],
  lost: ["连接中断", "connection lost"],
  staleBanner: ["没有新数据: 以下为 {0} 的状态, 并非现状。", "No new data: what follows is the state of {0}, not of now."],
  waiting: ["正在等待第一个控制周期…", "Waiting for the first control cycle…"],
  outdoor: ["室外", "Outdoor"],
  smoothed: ["平滑", "smoothed"],
  source: ["来源", "source"],
  circuit: ["机组", "Circuit"],
  schematic: ["工艺流程", "Process"],
  primarySupply: ["一次供水", "Primary supply"],
  primaryReturn: ["一次回水", "Primary return"],
  secondarySupply: ["二次供水", "Secondary supply"],
  secondaryReturn: ["二次回水", "Secondary return"],
  valve: ["电动阀", "Valve"],
  command: ["给定", "command"],
  heat: ["热量", "Heat"],
  flow: ["流量", "Flow"],
  tank: ["水箱", "Tank"],
  makeUp: ["补水", "Make-up"],
  buildings: ["楼栋", "Buildings"],
  more: ["另有 {0} 栋", "{0} more"],
  setpoint: ["供水设定值", "Supply setpoint"],
  setpointShort: ["设定", "setpoint"],
  whatHolds: ["设定值由来", "What makes the setpoint"],
  base: ["供热曲线", "Heating curve"],
  result: ["设定值", "Setpoint"],
  aimsAt: ["室温目标 {0}", "Aims at rooms of {0}"],
  nextLevel: ["{1} 后转为 {0}", "{0} in {1}"],
  startsAhead: ["将提前 {0} 启动", "starting {0} ahead"],
  sheds: ["削减负荷 {0}, 剩余 {1}", "Shedding {0}, {1} left"],
  shedEnded: ["上次削减结束: {0}", "Last load shed ended: {0}"],
  byOperator: ["人工修正", "Operator's correction"],
  byRemote: ["远程修正", "Remote correction"],
  correction: ["平移 {0}, 斜率 {1}, 室温 {2}", "level {0}, slope {1}, rooms {2}"],
  noEnd: ["长期", "until taken back"],
  heldBy: ["受限于: {0}", "Held by: {0}"],
  heldByNobody: ["没有限制: 设定值等于期望值", "Held by nothing: the setpoint is what was wished"],
  ledgerHelp: ["各项相加等于设定值", "The rows add up to the setpoint"],
  operationIs: ["运行原因", "Why"],
  heldBySomebody: ["非自动", "Not automatic"],
  doubted: ["可疑传感器", "Doubted sensors"],
  freezesIn: ["预计冻结时间", "Freezes in about"],
  valveIs: ["阀门", "Valve"],
  loopIs: ["供温回路", "Supply loop"],
  strokesADay: ["行程/日", "strokes a day"],
  reversalsAnHour: ["换向/时", "reversals an hour"],
  play: ["间隙", "play"],
  tuning: ["自整定", "auto-tune"],
  tuningProposed: ["自整定结果待确认", "a tuning result waits to be accepted"],
  pumpsAre: ["循环泵", "Pumps"],
  speedFrom: ["循环泵频率", "Pump speed"],
  makeUpIs: ["补水", "Make-up"],
  loses: ["失水估算", "Water lost"],
  burst: ["疑似爆管", "burst"],
  stage: ["阶段", "Stage"],
  circulation: ["循环", "Circulation"],
  proven: ["已证实", "proven"],
  notProven: ["未证实", "not proven"],
  unknown: ["未知", "unknown"],
  supplyFrom: ["供水温度来源", "Supply temperature from"],
  inHand: ["手动剩余 {0}", "in hand for {0} more"],
  rooms: ["室温", "Rooms"],
  mean: ["平均", "Mean"],
  median: ["中位", "Median"],
  coldest: ["最低", "Coldest"],
  passing: ["合格率 (≥ {0})", "At or above {0}"],
  target: ["目标 {0}", "target {0}"],
  fresh: ["有效测点", "Sensors that count"],
  trim: ["室温修正 {0}", "Room trim {0}"],
  doubtedRooms: ["不计入的测点", "Sensors that do not count, or with a doubt"],
  balance: ["二网平衡", "Balance of the buildings"],
  balanceLine: ["楼栋温差 {0}, 最大开度 {1}", "{0} between buildings, most open valve {1}"],
  astray: ["{0} 个楼阀未跟随", "{0} building valves stand elsewhere"],
  of: ["{0} / {1}", "{0} of {1}"],
  noRooms: ["没有室温测点", "No room sensors"],
  alarms: ["报警", "Alarms"],
  noAlarms: ["没有报警", "No alarms"],
  since: ["始于 {0}", "since {0}"],
  acknowledged: ["已确认", "acknowledged"],
  outages: ["停热", "Outages"],
  noOutages: ["本季没有停热", "No outage this season"],
  openNow: ["进行中", "open"],
  lasted: ["历时", "Lasted"],
  area: ["面积", "Area"],
  cause: ["原因", "Cause"],
  suggested: ["初判: {0}", "suggested: {0}"],
  from: ["开始", "From"],
  moreOutages: ["本季共 {0} 次, 其余见记录", "{0} this season; the journal has the others"],
  accidentRate: ["运行事故率", "Operation accident rate"],
  wholeSeason: ["全季口径", "Season figure"],
  toDate: ["至今口径", "To date"],
  rateTarget: ["目标 ≤ {0} ‰", "target ≤ {0} ‰"],
  counted: ["计入停热", "Outages counted"],
  unobserved: ["未观测时间", "Unobserved time"],
  noRate: ["没有面积或供暖季, 无法计算", "No rate: the station has no area or no season"],
  standard: ["标准", "Standard"],
  trend: ["最近 24 小时", "Last 24 hours"],
  trendHelp: ["用左右方向键移动光标", "Move the cursor with the arrow keys"],
  noHistory: ["还没有历史数据", "No history yet"],
  historyFailed: ["历史数据读取失败", "The history could not be read"],
  supply: ["二次供水", "Supply"],
  return: ["二次回水", "Return"],
  journal: ["最近记录", "Latest records"],
  noJournal: ["还没有记录", "No records yet"],
  journalFailed: ["记录读取失败", "The journal could not be read"],
  wires: ["通讯与存储", "Wires and store"],
  wire: ["线路", "Wire"],
  state: ["状态", "State"],
  up: ["已连接", "connected"],
  down: ["断开", "down"],
  requests: ["请求", "Requests"],
  failures: ["失败", "Failures"],
  roundTrip: ["往返", "Round trip"],
  deviceSilent: ["{0} 无应答", "{0} does not answer"],
  deviceRefuses: ["{0} 拒读 {1} 个寄存器", "{0} refuses {1} registers"],
  noWires: ["没有线路", "No wires"],
  store: ["存储", "Store"],
  storeWell: ["正常, {0} 条记录", "well, {0} records"],
  storeLost: ["丢失 {0} 条", "{0} lost"],
  waitingRecords: ["{0} 条等待写入", "{0} waiting for the disk"],
  free: ["剩余 {0}", "{0} free"],
  stopped: ["已停止", "stopped"],
  cycle: ["控制周期", "Control cycle"],
  cycleText: ["第 {0} 次, 平均 {1} ms, 延迟 {2} 次", "number {0}, {1} ms on average, {2} late"],
  demo: ["演示: 故障开关", "Demonstration: faults"],
  demoHelp: ["只作用于仿真装置。打开一个故障, 看控制如何应对。", "They reach the simulated plant alone. Switch one on and watch the control answer."],
  on: ["开", "on"],
  off: ["关", "off"],
  demoFailed: ["开关失败: {0}", "The switch failed: {0}"],
  running: ["运行", "running"],
  standing: ["停止", "standing"],
  fault: ["故障", "fault"],
  pump: ["循环泵 {0}", "Circulation pump {0}"],
  makeUpPump: ["补水泵 {0}", "Make-up pump {0}"],
  lastValue: ["最后值", "last"],
  interlocks: ["联锁", "Interlocks"],
  footer: ["软件不是安全层: 安全由现场硬件保障。", "Software is not the safety layer: hardware at the plant is."],
  configuration: ["配置", "configuration"],
};

const KEY = "heatstation.language";

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // Storage may be forbidden; the language then lasts as long as the page.
  }
}

function first() {
  const asked = new URLSearchParams(location.search).get("lang") ?? remembered();
  if (asked === "zh" || asked === "en") return asked;
  return (navigator.language ?? "").toLowerCase().startsWith("zh") ? "zh" : "en";
}

let current = first();

/** "zh" or "en". */
export function language() {
  return current;
}

/** Switches to the other language and remembers it. */
export function switchLanguage() {
  current = current === "zh" ? "en" : "zh";
  try {
    localStorage.setItem(KEY, current);
  } catch {
    // As above.
  }
}

/** A word of the page, with its places filled in. */
export function t(key, ...values) {
  const text = WORDS[key]?.[current === "zh" ? 0 : 1] ?? key;
  return values.reduce((filled, value, index) => filled.replaceAll(`{${index}}`, String(value)), text);
}

/** A text that the station sent in both languages. */
export function pick(text) {
  return text?.[current] ?? "";
}
