using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using Microsoft.CodeAnalysis;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// Resolves assemblies. Each file is read once and shared by all cells and by completion. Assemblies in the kernel's own folder can be referenced by their
/// bare names.
/// </summary>
/// <remarks>
/// The runtime uses the kernel's own copy of an assembly, whatever path a cell names. Compilation does the same: compiling against one file and running
/// another would end in MissingMethodException.
/// </remarks>
internal sealed class ReferenceCatalog : MetadataReferenceResolver
{
    // Referenced by every cell if present, so that the workbench needs no #r.
    private static readonly string[] Workbench =
    [
        "NullTextResearch",
        "NullTextResearch.Figures",
        "NullTextResearch.Interactive",
        "NullTextResearch.ImageSharp",
        "SixLabors.ImageSharp",
        "TorchSharp",
        "SkiaSharp",
    ];

    private readonly Dictionary<string, PortableExecutableReference> _byPath = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _own = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _added = new(StringComparer.OrdinalIgnoreCase);
    private readonly Lock _gate = new();

    public ReferenceCatalog()
    {
        string trusted = AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string ?? "";
        string framework = RuntimeEnvironment.GetRuntimeDirectory();
        List<MetadataReference> defaults = [];
        foreach (string path in trusted.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            _own.TryAdd(name, path);
            bool part =
                path.StartsWith(framework, StringComparison.Ordinal)
                || Workbench.Contains(name, StringComparer.Ordinal)
                || name is "NullTextResearch.Hosting" or "NullTextResearch.Kernel";
            if (part)
                defaults.Add(Load(path));
        }

        Defaults = [.. defaults.Distinct()];
        OwnDefaults = [.. Defaults.Select(d => ((PortableExecutableReference)d).FilePath!).Where(p => !p.StartsWith(framework, StringComparison.Ordinal))];
    }

    /// <summary>References of every cell.</summary>
    public ImmutableArray<MetadataReference> Defaults { get; }

    /// <summary>References added by cells so far, for completion.</summary>
    public IReadOnlyList<PortableExecutableReference> Added
    {
        get
        {
            lock (_gate)
                return [.. _added.Values.Select(Load)];
        }
    }

    public override bool ResolveMissingAssemblies => true;

    /// <summary>Resolves the argument of <c>#r "..."</c>: a path, or the bare name of an assembly in the kernel's folder.</summary>
    /// <param name="reference">As written.</param>
    /// <param name="folders">Base folders of relative paths, in order.</param>
    /// <param name="notice">Something the user should know, or null.</param>
    /// <returns>The reference, or null if there is none.</returns>
    public PortableExecutableReference? Find(string reference, IEnumerable<string> folders, out string? notice)
    {
        notice = null;
        string? found = folders.Select(f => Path.GetFullPath(reference, f)).FirstOrDefault(File.Exists);
        string name = reference.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)
            ? Path.GetFileNameWithoutExtension(reference)
            : Path.GetFileName(reference);
        if (_own.TryGetValue(name, out string? own) && (found is not null || Path.GetFileName(reference) == reference))
        {
            if (found is not null && found != own && ModuleId(found) != ModuleId(own))
                notice =
                    $"{name} is part of this kernel, which uses its own copy ({own}), not {found}. Build the project and restart the kernel to get the "
                    + "new one.";
            return Add(name, own);
        }

        if (found is null)
            return null;
        lock (_gate)
        {
            // The runtime keeps the first assembly with a name.
            if (_added.TryGetValue(name, out string? earlier) && earlier != found && ModuleId(earlier) != ModuleId(found))
            {
                notice = $"{name} was loaded from {earlier} and cannot be replaced by {found} in this session: restart the kernel.";
                return Load(earlier);
            }
        }

        return Add(name, found);
    }

    /// <summary>Files of <see cref="Defaults"/> that are not part of the runtime.</summary>
    public IReadOnlyList<string> OwnDefaults { get; }

    /// <summary>Whether every cell references a file anyway.</summary>
    public bool IsDefault(string path) => Defaults.Any(d => ((PortableExecutableReference)d).FilePath == path);

    /// <summary>Whether the kernel has its own assembly with this name.</summary>
    public bool IsOwn(string name) => _own.ContainsKey(name);

    public PortableExecutableReference Add(string name, string path)
    {
        lock (_gate)
            _added.TryAdd(name, path);
        return Load(path);
    }

    // Called for #r in a #load-ed file: directives of cells are handled before the compiler sees them.
    public override ImmutableArray<PortableExecutableReference> ResolveReference(string reference, string? baseFilePath, MetadataReferenceProperties properties)
    {
        List<string> folders = [Environment.CurrentDirectory];
        if (baseFilePath is not null && Path.GetDirectoryName(baseFilePath) is { Length: > 0 } folder)
            folders.Add(folder);
        return Find(reference, folders, out _) is { } found ? [found] : [];
    }

    public override PortableExecutableReference? ResolveMissingAssembly(MetadataReference definition, AssemblyIdentity referenceIdentity)
    {
        if (_own.TryGetValue(referenceIdentity.Name, out string? own))
            return Load(own);
        lock (_gate)
        {
            if (_added.TryGetValue(referenceIdentity.Name, out string? added))
                return Load(added);
        }

        if (definition is PortableExecutableReference { FilePath: { } path } && Path.GetDirectoryName(path) is { } folder)
        {
            string beside = Path.Combine(folder, referenceIdentity.Name + ".dll");
            if (File.Exists(beside))
                return Load(beside);
        }

        return null;
    }

    public override bool Equals(object? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    /// <summary>The reference for a file; the same one every time.</summary>
    public PortableExecutableReference Load(string path)
    {
        lock (_gate)
        {
            if (_byPath.TryGetValue(path, out PortableExecutableReference? known))
                return known;
            string documentation = Path.ChangeExtension(path, ".xml");
            DocumentationProvider? comments = File.Exists(documentation) ? XmlDocumentationProvider.CreateFromFile(documentation) : null;
            return _byPath[path] = MetadataReference.CreateFromFile(path, documentation: comments);
        }
    }

    private static Guid ModuleId(string path)
    {
        using PEReader reader = new(File.OpenRead(path));
        MetadataReader metadata = reader.GetMetadataReader();
        return metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
    }
}
