// How pages look.

/// The style sheet that reports and the service's pages share.
public enum Theme {
  /// Colours are chosen to be told apart by colour-blind readers, and to have a contrast of 4.5 or more where they are
  /// text.
  public static let css = """
    :root {
      color-scheme: light dark;
      --paper: #f7f7f5; --card: #ffffff; --ink: #1d1d1f; --soft: #5f6368; --rule: #e3e3df; --rule-soft: #eeeeea;
      --accent: #1f5fbf; --good: #1a7f4b; --bad: #b3261e;
      --series-1: #1f6fd6; --series-2: #d9730d; --series-3: #1a8f6a; --series-4: #8a4fbf;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #131416; --card: #1b1d20; --ink: #ececee; --soft: #a0a4ab; --rule: #303338; --rule-soft: #26292d;
        --accent: #84b4ff; --good: #63d297; --bad: #ff8f86;
        --series-1: #6aa8ff; --series-2: #ffa94d; --series-3: #4fd1a5; --series-4: #c69cf4;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0 auto; padding: 3rem 1.25rem 2rem; max-width: 62rem; background: var(--paper); color: var(--ink);
      font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
      font-variant-numeric: tabular-nums; overflow-wrap: break-word;
    }
    header { margin-bottom: 1.75rem; }
    h1 { margin: 0; font-size: 2rem; line-height: 1.2; letter-spacing: -0.02em; }
    h2 { margin: 0 0 1rem; font-size: 1.1rem; letter-spacing: -0.005em; }
    h3 { margin: 1.5rem 0 0.5rem; font-size: 0.95rem; }
    p { margin: 0 0 0.75rem; }
    a { color: var(--accent); }
    .kind { margin: 0 0 0.25rem; color: var(--soft); font-size: 0.85rem; letter-spacing: 0.02em; }
    .lead { margin: 0.6rem 0 0; font-size: 1.1rem; color: var(--soft); max-width: 46rem; }
    .lead b { color: var(--ink); font-weight: 600; }
    .note { color: var(--soft); font-size: 0.9rem; }
    .note:last-child { margin-bottom: 0; }
    section {
      margin: 0 0 1rem; padding: 1.35rem 1.5rem; background: var(--card);
      border: 1px solid var(--rule); border-radius: 12px;
    }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); gap: 1.25rem 1rem; }
    .tile { display: flex; flex-direction: column; }
    .tile .name { color: var(--soft); font-size: 0.85rem; }
    .tile .value { font-size: 1.9rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.02em; }
    .tile .note { font-size: 0.8rem; }
    .badge { font-weight: 600; white-space: nowrap; }
    .badge.good { color: var(--good); } .badge.bad { color: var(--bad); }
    .badge.good::before { content: "✓ "; } .badge.bad::before { content: "✗ "; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.5rem; }
    figure { margin: 0; }
    figcaption { font-weight: 600; font-size: 0.95rem; margin-bottom: 0.35rem; }
    .keys { font-weight: 400; font-size: 0.85rem; color: var(--soft); }
    .key { display: inline-block; margin-left: 0.9rem; }
    p.keys .key:first-child { margin-left: 0; }
    .key::before {
      content: ""; display: inline-block; width: 0.7rem; height: 0.7rem; margin-right: 0.35rem; border-radius: 3px;
      vertical-align: -0.05rem; background: currentColor;
    }
    .key-1::before, .part-1 { background: var(--series-1); } .key-2::before, .part-2 { background: var(--series-2); }
    .key-3::before, .part-3 { background: var(--series-3); } .key-4::before, .part-4 { background: var(--series-4); }
    .chart svg { display: block; width: 100%; height: auto; overflow: visible; }
    .grid line { stroke: var(--rule-soft); }
    .grid text, .mark text { fill: var(--soft); font-size: 12px; }
    .mark line { stroke: var(--soft); stroke-dasharray: 3 4; }
    .line path { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; }
    .line circle { fill: transparent; stroke: none; }
    .line circle:hover, .line circle.dot { fill: var(--series-1); }
    .line-1 path { stroke: var(--series-1); }
    .line-2 path { stroke: var(--series-2); } .line-2 circle:hover, .line-2 circle.dot { fill: var(--series-2); }
    .line-3 path { stroke: var(--series-3); } .line-3 circle:hover, .line-3 circle.dot { fill: var(--series-3); }
    .line-4 path { stroke: var(--series-4); } .line-4 circle:hover, .line-4 circle.dot { fill: var(--series-4); }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
    caption { text-align: left; color: var(--soft); font-size: 0.85rem; padding-bottom: 0.5rem; }
    th, td { padding: 0.45rem 1rem 0.45rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--rule-soft); }
    th:last-child, td:last-child { padding-right: 0; }
    thead th { color: var(--soft); font-weight: 500; font-size: 0.85rem; border-top: 0; white-space: nowrap; }
    tbody th { font-weight: 500; }
    .number { text-align: right; white-space: nowrap; }
    .confusion { width: auto; margin-bottom: 0.75rem; }
    .confusion th { padding-right: 1rem; border: 0; }
    .confusion thead td { border: 0; }
    .confusion thead th { text-align: center; padding-right: 0; }
    .confusion .cell {
      min-width: 7rem; padding: 0.7rem 0.75rem; text-align: center; border: 2px solid var(--card); border-radius: 8px;
      --tint: calc(var(--share) * 60% + 4%);
      background: color-mix(in srgb, var(--series-2) var(--tint), var(--card));
    }
    .confusion .right { background: color-mix(in srgb, var(--series-1) var(--tint), var(--card)); }
    .confusion b { font-size: 1.1rem; font-weight: 600; } .confusion small { display: block; }
    .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); gap: 0 2rem; margin: 0; }
    .facts div { display: flex; justify-content: space-between; gap: 1rem; padding: 0.4rem 0; border-top: 1px solid var(--rule-soft); font-size: 0.92rem; }
    .facts dt { color: var(--soft); flex: none; } .facts dd { margin: 0; text-align: right; min-width: 0; overflow-wrap: anywhere; }
    .bar { display: flex; gap: 2px; height: 0.8rem; margin-bottom: 0.5rem; }
    .bar .part { border-radius: 3px; min-width: 2px; }
    .shares { margin-bottom: 1rem; }
    pre {
      margin: 0 0 0.75rem; padding: 0.8rem 1rem; overflow-x: auto; border-radius: 8px; background: var(--paper);
      border: 1px solid var(--rule-soft); font: 0.85rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace;
    }
    code { font: 0.92em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
    td:first-child code { overflow-wrap: break-word; }
    pre code { font: inherit; }
    .graph svg { display: block; max-width: none; height: auto; margin: 0 auto; }
    .graph text { font-family: system-ui, sans-serif; }
    @media (prefers-color-scheme: dark) { .graph svg { filter: invert(0.88) hue-rotate(180deg); } }
    details summary { cursor: pointer; color: var(--accent); font-size: 0.92rem; }
    details[open] summary { margin-bottom: 0.75rem; }
    footer { color: var(--soft); font-size: 0.85rem; margin-top: 1.5rem; }
    @media (max-width: 34rem) {
      body { padding: 1.5rem 0.75rem; } section { padding: 1rem; border-radius: 10px; }
      h1 { font-size: 1.5rem; } .lead { font-size: 1rem; } .confusion .cell { min-width: 5rem; padding: 0.5rem 0.35rem; }
      .keys { display: block; } .keys .key { margin: 0 0.9rem 0 0; }
    }
    @media print { body { background: none; padding: 0; } section { break-inside: avoid; } }

    """
}
