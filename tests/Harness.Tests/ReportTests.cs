using System.Text.Json;
using LutNative.Harness.Recording;
using LutNative.Harness.Reports;
using LutNative.Harness.Tests.Cli;
using LutNative.Results;
using OpenQA.Selenium;
using OpenQA.Selenium.Chrome;

namespace LutNative.Harness.Tests;

/// <summary>
/// `lut report` and `lut analyze` on real runs; the page is opened in Chromium where there is one, clicked through, and
/// must say nothing in the console.
/// </summary>
public sealed class ReportTests(HelloRuns hello) : IDisposable
{
    private static readonly string? Chromium = new[]
    {
        Environment.GetEnvironmentVariable("LUT_CHROMIUM"),
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    }.FirstOrDefault(File.Exists);
    private static readonly string? Driver = new[]
    {
        Environment.GetEnvironmentVariable("LUT_CHROMEDRIVER"),
        "/usr/bin/chromedriver",
        "/usr/local/bin/chromedriver",
    }.FirstOrDefault(File.Exists);
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static IReadOnlyList<IReadOnlyList<Finding>> Nights() =>
        [
            .. Enumerable
                .Range(0, 20)
                .Select(n =>
                    (IReadOnlyList<Finding>)
                        [
                            new Finding(
                                new DateTime(2026, 1, 1).AddDays(n),
                                "exact",
                                "hello",
                                "a-cpu",
                                n == 12 ? "DIVERGED" : "IDENTICAL",
                                $"{n:x8}",
                                n == 12 ? "step 5 <b>tensor</b>" : ""
                            ),
                            new Finding(
                                new DateTime(2026, 1, 1).AddDays(n),
                                "perf",
                                "vitb16",
                                "a-cpu",
                                n == 15 ? "SLOWER" : "SAME",
                                $"{n:x8}",
                                "",
                                100,
                                n < 15 ? 100 + n % 3 : 90,
                                n < 15 ? 1.0 : 0.9,
                                0.98,
                                1.02,
                                1,
                                0.03
                            ),
                        ]
                ),
        ];

    [Fact]
    public void AnalysisAndReportOfRealRuns()
    {
        string lut = hello.Of("run");
        string other = hello.Of("run", "--threads", "1");
        string faulty = hello.Of("run", "--inject", "step=2,tensor=blocks.0.attn.qkv.weight,element=5,bit=27");
        var a = Lut.Run("analyze", lut, faulty, "--images", "64", "-o", folder["analysis"], "--json");
        Assert.True(a.Exit == 0, a.Out + a.Error);
        using (var json = JsonDocument.Parse(a.Out))
        {
            var first = json.RootElement.GetProperty("runs")[0];
            double uniform = first.GetProperty("uniform").GetDouble();
            Assert.Equal(2, first.GetProperty("attention_distance").GetArrayLength());
            // attention is a mean over patches' distances: positive, and below the distance of opposite corners of a 28
            // x 28 image
            foreach (var layer in first.GetProperty("attention_distance").EnumerateArray())
                Assert.All(layer.EnumerateArray(), h => Assert.InRange(h.GetDouble(), 0.5, 30));
            Assert.InRange(uniform, 10, 20);
            double[] spectrum =
            [
                .. first.GetProperty("image_log_singular_values").EnumerateArray().Select(v => v.GetDouble()),
            ];
            Assert.Equal(spectrum.OrderDescending(), spectrum);
            Assert.InRange(spectrum.Length, 8, 32);
            // 16 tokens without their mean
            Assert.InRange(first.GetProperty("token_log_singular_values").GetArrayLength(), 8, 15);
        }
        Assert.True(new RunStore(folder["analysis"]).Read(Schema.Analysis).Rows.Count > 40);
        Assert.Contains("<svg", File.ReadAllText(Path.Combine(folder["analysis"], "attention-distance.svg")));
        string page = folder["report.html"];
        var r = Lut.Run("report", lut, other, faulty, "--analysis", folder["analysis"], "-o", page);
        Assert.True(r.Exit == 0, r.Out + r.Error);
        string html = File.ReadAllText(page);
        foreach (
            string what in new[]
            {
                "identical to the reference",
                "IDENTICAL",
                "DIVERGED",
                "McNemar",
                "Attention distance",
                "data:image/png;base64",
                "finetune_top1",
                "How the losses drift apart",
            }
        )
            Assert.Contains(what, html);
        Assert.DoesNotContain("http", html.Replace("http://www.w3.org/2000/svg", "").Replace("http-equiv", ""));
        Assert.InRange(html.Length, 50_000, 2_000_000);
        Assert.Equal(8, Lut.Run("report", "-o", page).Exit);
        Assert.Equal(9, Lut.Run("report", lut, "-o", folder["no/such/file.html"]).Exit);
    }

    /// <summary>
    /// In Chromium, from the disk: no message in the console, every tab opens its section by click and by key, the
    /// address keeps the place, dark differs from light, nothing is wider than a phone.
    /// </summary>
    [Fact]
    public void ThePageWorksInABrowser()
    {
        if (Chromium is null || Driver is null)
            Assert.Skip("there is no Chromium with its driver here (apt-get install chromium chromium-driver)");
        string run = hello.Of("run");
        string faulty = hello.Of("run", "--inject", "step=2,tensor=blocks.0.attn.qkv.weight,element=5,bit=27");
        string path = folder["report.html"];
        File.WriteAllText(path, HtmlReport.Runs([new RunStore(run), new RunStore(faulty)], null, Nights()));
        using var service = ChromeDriverService.CreateDefaultService(Driver);
        using var page = Open(service);
        page.Navigate().GoToUrl("file://" + path);
        int Count(string css) => page.FindElements(By.CssSelector(css)).Count;
        string[] Shown() =>
            [
                .. page.FindElements(By.CssSelector("section"))
                    .Where(s => s.Displayed)
                    .Select(s => s.GetAttribute("id")!),
            ];
        var tabs = page.FindElements(By.CssSelector("[role=tab]"));
        Assert.Equal(
            ["runs", "curves", "pictures", "digests", "comparison", "nights", "series"],
            tabs.Select(t => t.GetAttribute("aria-controls"))
        );
        foreach (var tab in tabs)
        {
            tab.Click();
            string id = tab.GetAttribute("aria-controls")!;
            Assert.Equal([id], Shown());
            Assert.Equal("true", tab.GetAttribute("aria-selected"));
            Assert.EndsWith("#" + id, page.Url, StringComparison.Ordinal);
        }
        tabs[0].Click();
        tabs[0].SendKeys(Keys.ArrowRight);
        Assert.Equal(["curves"], Shown());
        page.SwitchTo().ActiveElement().SendKeys(Keys.End);
        Assert.Equal(["series"], Shown());
        string series = NightSections.Id(("perf", "vitb16", "a-cpu"));
        // a link of the matrix leads to its series, inside of another tab
        page.Navigate().GoToUrl("file://" + path + "#nights");
        Assert.Equal(["nights"], Shown());
        page.FindElement(By.CssSelector("section#nights a[href='#" + series + "']")).Click();
        Assert.Equal(["series"], Shown());
        Assert.True(page.FindElement(By.CssSelector("article#" + series + " svg")).Displayed);
        Assert.Contains(
            page.FindElements(By.CssSelector("section#nights .chip.red")),
            c => c.GetAttribute("title") == "step 5 <b>tensor</b>"
        ); // text of others stays text
        Assert.Equal(
            (0, 0, true),
            (Count("svg.chart:not([aria-label])"), Count("img:not([alt])"), Count("svg.chart") > 5)
        );
        string Back() => (string)page.ExecuteScript("return getComputedStyle(document.body).backgroundColor")!;
        string light = Back();
        page.ExecuteCdpCommand(
            "Emulation.setEmulatedMedia",
            new()
            {
                ["features"] = new object[]
                {
                    new Dictionary<string, object> { ["name"] = "prefers-color-scheme", ["value"] = "dark" },
                },
            }
        );
        Assert.NotEqual(light, Back());
        Assert.Equal(
            "none",
            (string)
                page.ExecuteScript(
                    "return [...new Set([...document.querySelectorAll('path.line')].map(p => "
                        + "getComputedStyle(p).fill))].join()"
                )!
        ); // a line is not an area, in the dark either
        page.ExecuteCdpCommand(
            "Emulation.setDeviceMetricsOverride",
            new()
            {
                ["width"] = 390,
                ["height"] = 800,
                ["deviceScaleFactor"] = 1,
                ["mobile"] = true,
            }
        );
        foreach (var tab in tabs = page.FindElements(By.CssSelector("[role=tab]")))
        {
            tab.Click();
            Assert.True(
                (bool)page.ExecuteScript("return document.documentElement.scrollWidth <= innerWidth")!,
                tab.Text
            );
        }
        Assert.Empty(page.Manage().Logs.GetLog(LogType.Browser).Select(l => l.Message));
        // without the script every section is there
        page.ExecuteCdpCommand("Emulation.setScriptExecutionDisabled", new() { ["value"] = true });
        page.Navigate().Refresh();
        Assert.Equal(7, Shown().Length);
    }

    /// <summary>
    /// A page about a run and nights whose every name is a script: none of it runs, and the page works.
    /// </summary>
    [Fact]
    public void NoScriptOfARunRunsInABrowser()
    {
        if (Chromium is null || Driver is null)
            Assert.Skip("there is no Chromium with its driver here (apt-get install chromium chromium-driver)");
        string path = folder["report.html"];
        File.WriteAllText(
            path,
            HtmlReport.Runs(
                [ForeignTextTests.Run(folder["a"]), ForeignTextTests.Run(folder["b"])],
                null,
                ForeignTextTests.Nights
            )
        );
        using var service = ChromeDriverService.CreateDefaultService(Driver);
        using var page = Open(service);
        page.Navigate().GoToUrl("file://" + path);
        Assert.Equal("LutNative report", page.Title);
        Assert.Equal(
            (1, 0),
            (page.FindElements(By.CssSelector("script")).Count, page.FindElements(By.CssSelector("img")).Count)
        );
        Assert.Empty(page.Manage().Logs.GetLog(LogType.Browser).Select(l => l.Message));
        // and were there markup of others, the policy would stop it
        File.WriteAllText(
            path,
            File.ReadAllText(path)
                .Replace(
                    "<main id=\"main\">",
                    "<main id=\"main\"><script>document.title='owned'</script><img src=x "
                        + "onerror=\"document.title='owned'\"><p style=\"color:red\" id=\"p\">"
                )
        );
        page.Navigate().GoToUrl("file://" + path);
        Assert.Equal("LutNative report", page.Title);
        Assert.NotEqual(
            "rgb(255, 0, 0)",
            (string)page.ExecuteScript("return getComputedStyle(document.getElementById('p')).color")!
        );
        Assert.NotEmpty(page.Manage().Logs.GetLog(LogType.Browser));
    }

    private static ChromeDriver Open(ChromeDriverService service)
    {
        var options = new ChromeOptions { BinaryLocation = Chromium };
        options.AddArguments("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900");
        options.SetLoggingPreference(LogType.Browser, LogLevel.All);
        return new ChromeDriver(service, options);
    }
}
