# The front door on Windows: the verbs of build.sh, but for compiling kernels and packing.
param([Parameter(Position = 0)][string]$Verb, [Parameter(Position = 1, ValueFromRemainingArguments)][string[]]$Rest = @())
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot
$env:DOTNET_CLI_TELEMETRY_OPTOUT = '1'; $env:DOTNET_NOLOGO = '1'; $env:DOTNET_CLI_UI_LANGUAGE = 'en'

if (-not (Get-Command dotnet -ErrorAction SilentlyContinue) -or -not ((dotnet --list-sdks) -match '^10\.')) {
    [Console]::Error.WriteLine('error: the .NET 10 SDK is needed and was not found. Install it with: winget install Microsoft.DotNet.SDK.10')
    exit 5
}
function Build($Project) {
    $flags = @(); if ($env:CI -eq 'true') { $flags += '-p:RestoreLockedMode=true' }
    dotnet build $Project -c Release -v quiet --nologo @flags
    if ($LASTEXITCODE -ne 0) { exit 1 }
}
$lut = 'harness/bin/Release/net10.0/lut.dll'
switch ($Verb) {
    'reproduce' {
        Build harness
        dotnet $lut run fashion-mae@1 --once @Rest; if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
        dotnet $lut run fashion-lut@1 --once @Rest; exit $LASTEXITCODE
    }
    'test' {
        Build LutNative.sln
        $total = @{ succeeded = 0; failed = 0; skipped = 0 }; $status = 0
        foreach ($project in 'Model', 'Results', 'Harness', 'Interop') {
            $log = dotnet "tests/$project.Tests/bin/Release/net10.0/LutNative.$project.Tests.dll" --progress off --no-ansi @Rest
            if ($LASTEXITCODE -ne 0) { $status = 1 }
            $log | Write-Output
            foreach ($key in 'succeeded', 'failed', 'skipped') {
                $line = $log | Select-String "^\s*${key}: *(\d+)" | Select-Object -Last 1
                if ($line) { $total[$key] += [int]$line.Matches[0].Groups[1].Value } else { $status = 1 }
            }
        }
        "$($total.succeeded) passed, $($total.failed) failed, $($total.skipped) skipped"
        exit $status
    }
    'coverage' {
        Build LutNative.sln
        $projects = if ($Rest.Count -gt 0) { $Rest } else { 'Model', 'Results', 'Interop', 'Harness' }
        if (Test-Path out/coverage) { Remove-Item -Recurse -Force out/coverage }
        $status = 0
        foreach ($project in $projects) {
            dotnet "tests/$project.Tests/bin/Release/net10.0/LutNative.$project.Tests.dll" --progress off --no-ansi `
                --coverlet --coverlet-single-hit --coverlet-output-format cobertura --coverlet-file-prefix $project `
                --results-directory out/coverage/raw
            if ($LASTEXITCODE -ne 0) { $status = 1 }
        }
        dotnet tool restore | Out-Null
        dotnet reportgenerator '-reports:out/coverage/raw/*.xml' -targetdir:out/coverage -verbosity:Error `
            '-reporttypes:Html;JsonSummary;MarkdownSummaryGithub'
        foreach ($assembly in (Get-Content -Raw out/coverage/Summary.json | ConvertFrom-Json).coverage.assemblies) {
            '{0,-18} lines {1,5:F1} %  branches {2,5:F1} %' -f $assembly.name, $assembly.coverage, $assembly.branchcoverage
        }
        exit $status
    }
    'format' { dotnet tool restore | Out-Null; dotnet csharpier $(if ($Rest -contains '--check') { 'check' } else { 'format' }) .; exit $LASTEXITCODE }
    'bench' { Build tests/benchmarks; dotnet tests/benchmarks/bin/Release/net10.0/LutNative.Benchmarks.dll @Rest; exit $LASTEXITCODE }
    'gpu-check' {
        Build LutNative.sln
        $device = if ($Rest.Count -gt 0) { $Rest[0] } else { 'cuda:0' }
        $env:LUT_TEST_DEVICE = $device -replace '^cuda:', ''
        dotnet $lut doctor
        dotnet tests/Model.Tests/bin/Release/net10.0/LutNative.Model.Tests.dll --progress off --no-ansi --filter-method '*OnARealDevice*'; $status = $LASTEXITCODE
        dotnet $lut run hello@1 -q --device $device; if ($LASTEXITCODE -ne 0) { $status = 1 }
        foreach ($math in 'exact', 'run-to-run') { dotnet $lut bench vitb16 --batch 128 --premade --launches 1 --device $device --math $math -o gpu-check/throughput; if ($LASTEXITCODE -ne 0) { $status = 1 } }
        exit $status
    }
    'lut' { Build harness; dotnet $lut @Rest; exit $LASTEXITCODE }
    default { [Console]::Error.WriteLine('usage: ./build.ps1 reproduce | test | coverage [PROJECT...] | format [--check] | bench | gpu-check [DEVICE] | lut ARGS...'); exit 2 }
}
