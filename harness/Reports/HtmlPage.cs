namespace LutNative.Harness.Reports;

/// <summary>
/// One HTML file that needs nothing else: no link leaves it, it opens from a disk, prints, and reads without its script
/// (every section is then shown below the other). With it sections are tabs: arrow keys move, and the address keeps the
/// place. Light and dark by the reader's setting.
/// </summary>
internal sealed class HtmlPage(string title, string stamp)
{
    private readonly List<(string Id, string Name, Html Content)> sections = [];

    /// <param name="id">Ours, never from a file.</param>
    internal void Section(string id, string name, Html content) => sections.Add((id, name, content));

    /// <summary>A table that scrolls by itself where it is too wide.</summary>
    internal static Html Table(string caption, IEnumerable<Html> head, IEnumerable<IEnumerable<Html>> rows) =>
        Html.Of(
            $"<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">"
                + $"<table><caption>{caption}</caption><thead><tr>{Html.Concat(head.Select(h => Html.Of($"<th scope=\"col\">{h}</th>")))}</tr></thead>"
                + $"<tbody>{Html.Concat(rows.Select(Row))}</tbody></table></div>\n"
        );

    private static Html Row(IEnumerable<Html> cells) =>
        Html.Of(
            $"<tr>{Html.Concat(cells.Select((c, i) => i == 0 ? Html.Of($"<th scope=\"row\">{c}</th>") : Html.Of($"<td>{c}</td>")))}</tr>\n"
        );

    /// <summary>A verdict as a mark, a word and a colour, so that none of them is needed alone.</summary>
    internal static Html Chip(string colour, string word, string? hint = null)
    {
        string mark = colour switch
        {
            "green" => "\u2713",
            "red" => "\u2717",
            "grey" => "\u2013",
            _ => "?",
        };
        var title = hint is null ? default : Html.Of($" title=\"{hint}\"");
        return Html.Of($"<span class=\"chip {colour}\"{title}>{mark} {word}</span>");
    }

    internal static Html Figure(Html svg) => Html.Of($"<figure>{svg}</figure>\n");

    internal static Html Details(string summary, Html content) =>
        Html.Of($"<details><summary>{summary}</summary>{content}</details>\n");

    internal string Build()
    {
        var (style, styleHash) = Html.Own("style", Style + Chart.Style);
        var (script, scriptHash) = Html.Own("script", Script);
        // should markup of somebody else ever stand in the page, it loads nothing, runs nothing and sends nothing
        string policy =
            $"default-src 'none'; style-src {styleHash}; script-src {scriptHash}; img-src data:; base-uri "
            + $"'none'; form-action 'none'";
        var page = new HtmlBuilder();
        page.Add(
            $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
                + $"http-equiv=\"Content-Security-Policy\" content=\"{policy}\">"
        );
        page.Add(
            $"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta "
                + $"name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\n{style}</head>\n"
        );
        page.Add(
            $"<body><a class=\"skip\" href=\"#main\">Skip to content</a><header><h1>{title}</h1><p>{stamp}</p></header>\n<nav "
                + $"aria-label=\"Sections\"><div role=\"tablist\">"
        );
        foreach (var (id, name, _) in sections)
            page.Add($"<a role=\"tab\" id=\"tab-{id}\" href=\"#{id}\" aria-controls=\"{id}\">{name}</a>");
        page.Add($"</div></nav>\n<main id=\"main\">\n");
        foreach (var (id, name, content) in sections)
            page.Add(
                $"<section role=\"tabpanel\" id=\"{id}\" aria-labelledby=\"tab-{id}\" tabindex=\"-1\"><h2>{name}</h2>\n{content}</section>\n"
            );
        return page.Add($"</main>\n{script}</body></html>\n").ToString();
    }

    private const string Style = """
        :root{--back:#fff;--text:#1c2126;--soft:#5a6570;--line:#d5dbe1;--card:#f5f7f9;--link:#0060a8}
        @media(prefers-color-scheme:dark){:root{--back:#14181c;--text:#e4e8ec;--soft:#a3afba;--line:#36404a;--card:#1d2329;--link:#6fb6ee}}
        *{box-sizing:border-box}a{color:var(--link)}body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}header,nav,main{max-width:1100px;margin:0 auto;padding:0 16px}h1{margin:20px 0 0;font-size:24px}h2{font-size:19px;margin:18px 0 10px}h3{font-size:16px;margin:18px 0 6px}header p,.note{color:var(--soft);margin:4px 0}
        nav{position:sticky;top:0;background:var(--back);border-bottom:1px solid var(--line);z-index:1;padding-top:8px}[role=tab]{display:inline-block;padding:8px 14px;color:var(--link);text-decoration:none;border-bottom:3px solid transparent}[role=tab][aria-selected=true]{color:var(--text);border-color:var(--link);font-weight:600}a:focus-visible,summary:focus-visible,.wide:focus-visible{outline:3px solid var(--link);outline-offset:1px}
        .skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--back);padding:6px;z-index:2}.wide{overflow-x:auto;margin:8px 0}table{border-collapse:collapse;font-size:14px}caption{text-align:left;color:var(--soft);padding:4px 0}th,td{padding:4px 10px;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}th[scope=row]{font-weight:600;white-space:nowrap}td{font-variant-numeric:tabular-nums}code,.bits{font:13px ui-monospace,monospace}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:14px}.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px;overflow-wrap:anywhere}.card h3{margin:0 0 6px}dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 12px;margin:0}dt{color:var(--soft)}dd{margin:0}figure{margin:0 0 16px}figcaption{color:var(--soft)}.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:16px}img{max-width:100%;height:auto;image-rendering:pixelated;background:#fff}
        .chip{display:inline-block;white-space:nowrap;border-radius:10px;padding:0 8px;font-size:13px;border:1px solid}.chip.green{color:#0a6b3d;border-color:#0a6b3d}.chip.red{color:#fff;background:#b3261e;border-color:#b3261e}.chip.grey{color:var(--soft);border-color:var(--soft)}.chip.yellow{color:#7a5200;border-color:#b88700}@media(prefers-color-scheme:dark){.chip.green{color:#58d69a;border-color:#58d69a}.chip.yellow{color:#f0c75e;border-color:#f0c75e}}
        section:focus{outline:none}section,article{scroll-margin-top:64px}.js section{display:none}.js section.open{display:block}@media print{.js section{display:block}nav{display:none}}
        """;

    private const string Script = """
        (()=>{const tabs=[...document.querySelectorAll('[role=tab]')],all=[...document.querySelectorAll('section')];if(!tabs.length)return;document.documentElement.classList.add('js');
        const open=(id,focus)=>{if(!all.some(s=>s.id===id))id=all[0].id;all.forEach(s=>s.classList.toggle('open',s.id===id));tabs.forEach(t=>{const on=t.getAttribute('aria-controls')===id;t.setAttribute('aria-selected',on);t.tabIndex=on?0:-1;if(on&&focus)t.focus()})};
        const here=()=>{const h=decodeURIComponent(location.hash.slice(1)),e=h&&document.getElementById(h),s=e&&e.closest('section');open(s?s.id:h);if(e&&s&&e!==s)e.scrollIntoView()};
        tabs.forEach((t,i)=>{t.addEventListener('click',e=>{e.preventDefault();const id=t.getAttribute('aria-controls');history.replaceState(null,'','#'+id);open(id)});t.addEventListener('keydown',e=>{const n={ArrowRight:i+1,ArrowLeft:i-1,Home:0,End:tabs.length-1}[e.key];if(n===undefined)return;e.preventDefault();const to=tabs[(n+tabs.length)%tabs.length].getAttribute('aria-controls');history.replaceState(null,'','#'+to);open(to,true)})});
        addEventListener('hashchange',here);here()})();
        """;
}
