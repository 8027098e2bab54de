using System.Diagnostics;
using System.Globalization;
using System.Security;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NullTextResearch.Kernel.Installing;

namespace NullTextResearch.Kernel.Engine;

/// <summary>A package that a cell requests.</summary>
/// <param name="Name">Its id.</param>
/// <param name="Version">Exact version or NuGet range; "*" for the newest release.</param>
internal sealed record PackageRequest(string Name, string Version);

/// <summary>Result of a restore: files to reference and folders of native libraries.</summary>
internal sealed record PackageFiles(IReadOnlyList<string> Assemblies, IReadOnlyList<string> NativeFolders, IReadOnlyList<string> Packages);

/// <summary>
/// NuGet packages for cells: the .NET SDK restores a generated project, and the resulting file lists the assemblies and native libraries to use. The
/// project of each set of packages is kept, so the next session needs no network.
/// </summary>
internal sealed class NuGetRestore
{
    private readonly List<string> _sources = [];
    private readonly Dictionary<string, PackageRequest> _requests = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds a feed for all packages that follow: a folder or a URL.</summary>
    public void AddSource(string source)
    {
        if (!_sources.Contains(source))
            _sources.Add(source);
    }

    /// <summary>Restores the packages of this session together with new ones, so that their versions are compatible.</summary>
    /// <exception cref="CellException">There is no SDK, or NuGet failed; the message includes NuGet's output.</exception>
    public PackageFiles Restore(IEnumerable<PackageRequest> added, CancellationToken cancel)
    {
        Dictionary<string, PackageRequest> wanted = new(_requests, StringComparer.OrdinalIgnoreCase);
        foreach (PackageRequest request in added)
            wanted[request.Name] = request;
        string project = Project(wanted.Values);
        string folder = Path.Combine(JupyterPaths.UserCache(), "packages", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(project)))[..20]);
        string assets = Path.Combine(folder, "obj", "project.assets.json");
        // A floating version is resolved again; a fixed one never changes.
        bool floating = wanted.Values.Any(r => r.Version.Contains('*'));
        if (floating || !File.Exists(assets))
        {
            Directory.CreateDirectory(folder);
            string file = Path.Combine(folder, "cell.csproj");
            File.WriteAllText(file, project);
            Run(file, cancel);
        }

        PackageFiles files = Read(assets);
        foreach ((string name, PackageRequest request) in wanted)
            _requests[name] = request;
        return files;
    }

    private string Project(IEnumerable<PackageRequest> requests)
    {
        StringBuilder xml = new();
        xml.AppendLine("<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup>");
        xml.AppendLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"<TargetFramework>net{Environment.Version.Major}.{Environment.Version.Minor}</TargetFramework><RuntimeIdentifier>"
                    + $"{NativeProbing.Rids().ElementAt(1)}</RuntimeIdentifier><SelfContained>false</SelfContained><UseAppHost>false</UseAppHost>"
            )
        );
        xml.AppendLine(
            "<ImportDirectoryBuildProps>false</ImportDirectoryBuildProps><ImportDirectoryPackagesProps>false</ImportDirectoryPackagesProps>"
                + "<ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally><NuGetAudit>false</NuGetAudit>"
        );
        if (_sources.Count > 0)
            xml.AppendLine(
                CultureInfo.InvariantCulture,
                $"<RestoreAdditionalProjectSources>{SecurityElement.Escape(string.Join(';', _sources))}</RestoreAdditionalProjectSources>"
            );
        xml.AppendLine("</PropertyGroup><ItemGroup>");
        foreach (PackageRequest request in requests.OrderBy(r => r.Name, StringComparer.OrdinalIgnoreCase))
            xml.AppendLine(
                CultureInfo.InvariantCulture,
                $"<PackageReference Include=\"{SecurityElement.Escape(request.Name)}\" Version=\"{SecurityElement.Escape(request.Version)}\" />"
            );
        return xml.AppendLine("</ItemGroup></Project>").ToString();
    }

    private static void Run(string project, CancellationToken cancel)
    {
        ProcessStartInfo start = new(DotnetHost.Path)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetDirectoryName(project)!,
        };
        foreach (string argument in (string[])["restore", project, "-nologo", "-v", "quiet"])
            start.ArgumentList.Add(argument);
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        StringBuilder said = new();
        using Process process = Process.Start(start) ?? throw new CellException("RestoreError", $"{DotnetHost.Path} could not be started.");
        process.OutputDataReceived += (_, e) => Append(e.Data);
        process.ErrorDataReceived += (_, e) => Append(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        try
        {
            process.WaitForExitAsync(cancel).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        if (process.ExitCode == 0)
            return;
        string text;
        lock (said)
            text = said.ToString().Trim();
        if (text.Contains("SDK", StringComparison.Ordinal) && text.Contains("not", StringComparison.Ordinal) && !text.Contains("NU1", StringComparison.Ordinal))
            text += "\n#r \"nuget: ...\" needs the .NET SDK, not only the runtime.";
        throw new CellException("RestoreError", $"The packages could not be restored:\n{text.Replace(project + " : ", "", StringComparison.Ordinal)}");

        void Append(string? line)
        {
            lock (said)
                said.AppendLine(line);
        }
    }

    private static PackageFiles Read(string assets)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(assets));
        string[] roots = [.. json.RootElement.GetProperty("packageFolders").EnumerateObject().Select(p => p.Name)];
        JsonElement libraries = json.RootElement.GetProperty("libraries");
        // There are two targets, with and without a runtime identifier; the one with it lists native files.
        JsonElement target = json.RootElement.GetProperty("targets").EnumerateObject().OrderByDescending(t => t.Name.Contains('/')).First().Value;
        List<string> assemblies = [],
            natives = [],
            packages = [];
        foreach (JsonProperty library in target.EnumerateObject())
        {
            if (!libraries.GetProperty(library.Name).TryGetProperty("path", out JsonElement path))
                continue;
            packages.Add(library.Name);
            if (roots.Select(r => Path.Combine(r, path.GetString()!)).FirstOrDefault(Directory.Exists) is not { } folder)
                continue;
            foreach (string file in Files(library.Value, "runtime").Where(f => f.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)))
                assemblies.Add(Path.Combine(folder, file));
            foreach (string file in Files(library.Value, "native"))
            {
                string native = Path.GetDirectoryName(Path.Combine(folder, file))!;
                if (!natives.Contains(native))
                    natives.Add(native);
            }
        }

        return new PackageFiles(assemblies, natives, packages);

        static IEnumerable<string> Files(JsonElement library, string kind) =>
            library.TryGetProperty(kind, out JsonElement files)
                ? files.EnumerateObject().Select(f => f.Name).Where(n => !n.EndsWith("_._", StringComparison.Ordinal))
                : [];
    }
}
