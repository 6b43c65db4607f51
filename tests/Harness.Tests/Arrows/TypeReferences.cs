using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace LutNative.Harness.Tests.Arrows;

/// <summary>One file of a project names a type of another, wherever and however: by the compiler's own symbols.</summary>
internal sealed record TypeReference(string From, int Line, string To, string Type)
{
    public string FromRoom => Room(From);
    public string ToRoom => Room(To);
    public string Arrow => $"{FromRoom} -> {ToRoom}";

    public override string ToString() => $"{From}({Line}) -> {Type} in {To}";

    /// <summary>The top folder, or "" for a file that lies beside them.</summary>
    private static string Room(string file) =>
        file.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? file[..slash] : "";
}

/// <summary>Reads a project's sources with the compiler and lists which file uses which file's types.</summary>
/// <param name="project">Its folder in the repository.</param>
/// <param name="assembly">Its assembly's name: what it refers to is read from beside this test, itself excepted.</param>
internal sealed class TypeReferences(string project, string assembly)
{
    /// <summary>What the SDK adds to every file.</summary>
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    /// <summary>The compiler did not understand a name, so that a reference could stay unseen.</summary>
    private static readonly string[] Blind = ["CS0012", "CS0103", "CS0117", "CS0234", "CS0246", "CS1061"];

    private readonly Lazy<CSharpCompilation> compilation = new(() => Compile(project, assembly));

    /// <summary>Of every file.</summary>
    internal IReadOnlyList<TypeReference> All()
    {
        Understood(compilation.Value.GetDiagnostics());
        return [.. compilation.Value.SyntaxTrees.SelectMany(t => Of(compilation.Value.GetSemanticModel(t), t))];
    }

    /// <summary>Of one more file, as if it lay in the project.</summary>
    internal IReadOnlyList<TypeReference> OfPlanted(string path, string text)
    {
        var tree = Parse(path, text);
        var with = compilation.Value.AddSyntaxTrees(tree);
        var model = with.GetSemanticModel(tree);
        Understood(model.GetDiagnostics());
        return [.. Of(model, tree)];
    }

    private static void Understood(IEnumerable<Diagnostic> diagnostics) =>
        Assert.Empty(diagnostics.Where(d => Blind.Contains(d.Id)).Select(d => d.ToString()));

    private static SyntaxTree Parse(string path, string text) =>
        CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Latest), path);

    private static CSharpCompilation Compile(string project, string assembly)
    {
        string root = Path.Combine(Repository.Root, project);
        var sources = Directory
            .EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(f => (File: f, Path: Path.GetRelativePath(root, f).Replace('\\', '/')))
            .Where(f => f.Path.Split('/')[0] is not ("bin" or "obj"))
            .Select(f => Parse(f.Path, File.ReadAllText(f.File)));
        var others = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(f => Path.GetFileNameWithoutExtension(f) != assembly)
            .Select(f => MetadataReference.CreateFromFile(f));
        return CSharpCompilation.Create(
            assembly,
            [.. sources, Parse("ImplicitUsings.cs", ImplicitUsings)],
            others,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true)
        );
    }

    private static IEnumerable<TypeReference> Of(SemanticModel model, SyntaxTree tree) =>
        from node in tree.GetRoot().DescendantNodes()
        // a name, or new() whose type is not written
        where node is SimpleNameSyntax or ImplicitObjectCreationExpressionSyntax
        let type = Outermost(model.GetSymbolInfo(node).Symbol)
        where type is not null
        from place in type.OriginalDefinition.Locations
        where place.IsInSource && place.SourceTree != tree
        select new TypeReference(
            tree.FilePath,
            node.GetLocation().GetLineSpan().StartLinePosition.Line + 1,
            place.SourceTree!.FilePath,
            type.Name
        );

    /// <summary>The type itself, or the one whose member a symbol is; of nested types the outermost.</summary>
    private static INamedTypeSymbol? Outermost(ISymbol? symbol)
    {
        var type = symbol as INamedTypeSymbol ?? symbol?.ContainingType;
        while (type?.ContainingType is not null)
            type = type.ContainingType;
        return type;
    }
}
