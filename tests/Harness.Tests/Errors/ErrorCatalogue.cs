using System.Text;
using System.Text.RegularExpressions;
using LutNative.Harness.Errors;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace LutNative.Harness.Tests.Errors;

/// <summary>One error as its method's source says it: {name} stands for what the method is given.</summary>
/// <param name="Exits">One, or those that a caller may choose.</param>
/// <param name="Meaning">The method's summary, for an error whose text does not say it.</param>
internal sealed record ErrorEntry(
    string Name,
    Exit[] Exits,
    int Number,
    string What,
    string Where,
    string Why,
    string Fix,
    string Meaning
)
{
    internal IEnumerable<string> Ids => Exits.Select(e => $"LUT{(int)e}{Number:d3}");
}

/// <summary>Errors of one kind: a class of harness/Errors.</summary>
internal sealed record ErrorKind(string Name, string Meaning, IReadOnlyList<ErrorEntry> Errors);

/// <summary>The classes *Errors of harness/Errors, read as source, and docs/ERRORS.md as they make it.</summary>
internal static partial class ErrorCatalogue
{
    // what a caller may choose where it says `exit`: instructions, data or results
    private static readonly Exit[] Chosen = [Exit.Usage, Exit.Data, Exit.Store];

    [GeneratedRegex("</?summary>|<see cref=\"|\"/>|^///")]
    private static partial Regex Markup();

    internal static IReadOnlyList<ErrorKind> Read() =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Repository.Root, "harness", "Errors"), "*Errors.cs")
                .SelectMany(f => Read(File.ReadAllText(f)))
                .OrderBy(k => k.Errors[0].Exits[0])
                .ThenBy(k => k.Name, StringComparer.Ordinal),
        ];

    internal static IEnumerable<ErrorKind> Read(string source) =>
        CSharpSyntaxTree
            .ParseText(source)
            .GetRoot()
            .DescendantNodes()
            .OfType<ClassDeclarationSyntax>()
            .Select(c => new ErrorKind(
                c.Identifier.Text,
                Summary(c),
                [
                    .. c
                        .Members.OfType<MethodDeclarationSyntax>()
                        .Where(m => m.ReturnType.ToString() == nameof(LutError))
                        .Select(m => Entry(c.Identifier.Text, m)),
                ]
            ));

    private static ErrorEntry Entry(string owner, MethodDeclarationSyntax method)
    {
        string name = $"{owner}.{method.Identifier}";
        if (method.ExpressionBody?.Expression is not BaseObjectCreationExpressionSyntax { ArgumentList: { } list })
            throw new InvalidDataException($"{name} is not one `=> new(...)`");
        ExpressionSyntax[] given = [.. list.Arguments.Select(a => a.Expression)];
        string exit = given[0].ToString();
        return new ErrorEntry(
            name,
            exit == "exit" ? Chosen : [Enum.Parse<Exit>(exit["Exit.".Length..])],
            int.Parse(given[1].ToString()),
            Template(given[2]),
            Template(given[3]),
            Template(given[4]),
            Template(given[5]),
            Summary(method)
        );
    }

    /// <summary>The text with {names}: what a user reads, apart from the values.</summary>
    private static string Template(ExpressionSyntax e) =>
        e switch
        {
            LiteralExpressionSyntax text => text.Token.ValueText,
            InterpolatedStringExpressionSyntax text => string.Concat(text.Contents.Select(Template)),
            BinaryExpressionSyntax sum when sum.IsKind(SyntaxKind.AddExpression) => Template(sum.Left)
                + Template(sum.Right),
            ParenthesizedExpressionSyntax inner => Template(inner.Expression),
            ConditionalExpressionSyntax either => Template(either),
            CollectionExpressionSyntax { Elements: [SpreadElementSyntax all] } => Template(all.Expression),
            InvocationExpressionSyntax call => Template(call),
            _ => $"{{{e}}}",
        };

    private static string Template(InterpolatedStringContentSyntax part) =>
        part is InterpolationSyntax hole
            ? Template(hole.Expression)
            : ((InterpolatedStringTextSyntax)part).TextToken.ValueText;

    private static string Template(ConditionalExpressionSyntax either)
    {
        string otherwise = Template(either.WhenFalse);
        return otherwise.Length == 0 ? $"[{Template(either.WhenTrue)}]" : $"{Template(either.WhenTrue)} | {otherwise}";
    }

    // a name, a path or a list is shown by what it is made of
    private static string Template(InvocationExpressionSyntax call) =>
        call.Expression.ToString() switch
        {
            "Nearest.To" => "{the nearest}",
            "Path.Combine" => string.Join('/', call.ArgumentList.Arguments.Select(a => Template(a.Expression))),
            "string.Join" => Template(call.ArgumentList.Arguments[1].Expression),
            "FormattableString.Invariant" or "Path.GetFullPath" or "Path.GetFileName" or "Shown.Name" => Template(
                call.ArgumentList.Arguments[0].Expression
            ),
            _ => $"{{{call}}}",
        };

    private static string Summary(MemberDeclarationSyntax member)
    {
        var lines = member
            .GetLeadingTrivia()
            .ToFullString()
            .Split('\n')
            .Select(l => l.Trim())
            .Where(l => l.StartsWith("///", StringComparison.Ordinal))
            .TakeWhile(l => !l.StartsWith("/// <param", StringComparison.Ordinal))
            .Select(l => Markup().Replace(l, "").Trim());
        return Markup().Replace(string.Join(' ', lines), "").Trim();
    }

    /// <summary>docs/ERRORS.md.</summary>
    internal static string Document()
    {
        var text = new StringBuilder("# Errors of `lut`\n");
        text.Append(
            """
            Written from the classes *Errors of harness/Errors (a test compares; the tests of Errors with LUT_UPDATE_DOCS=1
            write it). An error is four lines on standard error; with `--json` it is also one object on standard output:
            id, what, where (a list), why, fix, exit. An id's first digit is its exit code (EXIT_CODES.md), and an id is
            never used again. {name} stands for a value, A | B for one text or the other, [A] for a text or none.

            """
        );
        foreach (var kind in Read())
        {
            text.Append($"\n## {kind.Name}\n{kind.Meaning}\n");
            foreach (var e in kind.Errors)
            {
                text.Append($"\n### {string.Join(", ", e.Ids)}\n");
                if (e.Meaning.Length > 0)
                    text.Append(e.Meaning).Append('\n');
                text.Append($"```text\n{e.What}\n  where: {e.Where}\n  why:   {e.Why}\n  fix:   {e.Fix}\n```\n");
            }
        }
        return text.ToString();
    }
}
