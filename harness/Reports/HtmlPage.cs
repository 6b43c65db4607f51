using System.Globalization;
using System.Net;
using System.Text;

namespace LutNative.Harness.Reports;

/// <summary>
/// One HTML file that needs nothing else: no link leaves it, it opens from a disk, prints, and reads without its script (every section is then shown below the other). With it sections
/// are tabs: arrow keys move, and the address keeps the place. Light and dark by the reader's setting.
/// </summary>
internal sealed class HtmlPage(string title, string stamp)
{
    private readonly List<(string Id, string Name, string Html)> sections = [];

    internal void Section(string id, string name, string html) => sections.Add((id, name, html));

    internal static string E(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A table that scrolls by itself where it is too wide; cells are HTML.</summary>
    internal static string Table(string caption, IEnumerable<string> head, IEnumerable<IEnumerable<string>> rows) =>
        $"<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{E(caption)}\"><table><caption>{E(caption)}</caption><thead><tr>{string.Concat(head.Select(h => $"<th scope=\"col\">{h}</th>"))}</tr></thead><tbody>{string.Concat(rows.Select(r => "<tr>" + string.Concat(r.Select((c, i) => i == 0 ? $"<th scope=\"row\">{c}</th>" : $"<td>{c}</td>")) + "</tr>\n"))}</tbody></table></div>\n";

    /// <summary>A verdict as a mark, a word and a colour, so that none of them is needed alone.</summary>
    internal static string Chip(string colour, string word, string? hint = null)
    {
        string mark = colour switch { "green" => "&#10003;", "red" => "&#10007;", "grey" => "&#8211;", _ => "?" };
        return $"<span class=\"chip {colour}\"{(hint is null ? "" : $" title=\"{E(hint)}\"")}>{mark} {E(word)}</span>";
    }

    internal static string Details(string summary, string html) => $"<details><summary>{E(summary)}</summary>{html}</details>\n";

    internal string Build()
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{E(title)}</title>\n<style>{Style}{Chart.Style}</style></head>\n<body><a class=\"skip\" href=\"#main\">Skip to content</a><header><h1>{E(title)}</h1><p>{E(stamp)}</p></header>\n");
        page.Append("<nav aria-label=\"Sections\"><div role=\"tablist\">");
        foreach (var (id, name, _) in sections) page.Append(CultureInfo.InvariantCulture, $"<a role=\"tab\" id=\"tab-{id}\" href=\"#{id}\" aria-controls=\"{id}\">{E(name)}</a>");
        page.Append("</div></nav>\n<main id=\"main\">\n");
        foreach (var (id, name, html) in sections) page.Append(CultureInfo.InvariantCulture, $"<section role=\"tabpanel\" id=\"{id}\" aria-labelledby=\"tab-{id}\" tabindex=\"-1\"><h2>{E(name)}</h2>\n{html}</section>\n");
        return page.Append($"</main>\n<script>{Script}</script></body></html>\n").ToString();
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
