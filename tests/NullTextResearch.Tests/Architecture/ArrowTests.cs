using System.Text.RegularExpressions;
using System.Xml.Linq;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Architecture;

/// <summary>Arrows between rooms and projects point one way.</summary>
public sealed class ArrowTests
{
    // A room may use the rooms named here and nothing else. To add an arrow is a design decision: make it here, in review.
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Tensors"] = [],
        ["Images"] = ["Tensors"],
        ["Metrics"] = ["Tensors", "Images"],
        ["Diffusion"] = ["Tensors"],
        ["Scenes"] = [],
        // Where models lie on this machine: files and names, no numerics, no network.
        ["Models"] = [],
        ["Weights"] = ["Tensors"],
        ["Layers"] = ["Tensors", "Weights"],
        ["Text"] = ["Tensors", "Weights", "Layers"],
        // Measures by networks that were trained on pictures and texts.
        ["Perception"] = ["Tensors", "Weights", "Layers", "Images", "Metrics", "Text"],
        ["Vae"] = ["Tensors", "Weights", "Layers"],
        ["Attention"] = ["Tensors", "Diffusion"],
        ["UNet"] = ["Tensors", "Diffusion", "Weights", "Layers", "Attention"],
        // The machine, by the operations that the networks use.
        ["SelfTest"] = ["Tensors", "Layers", "Attention"],
        // Knows the networks by their configs, and files; the bundle puts both together. Of Images: which sizes a model takes.
        ["Loading"] = ["Tensors", "Images", "Models", "Diffusion", "Weights", "Text", "Vae", "UNet"],
        // What work costs, from configs alone.
        ["Planning"] = ["Weights", "Layers", "Text", "Vae", "UNet", "Loading"],
        ["Inversion"] = ["Tensors", "Diffusion"],
        ["Editing"] = ["Tensors", "Diffusion", "Attention", "Text", "Inversion"],
        // Pictures in, pictures out, with a loaded model.
        ["UseCases"] = ["Images", "Metrics", "Diffusion", "Attention", "Text", "Inversion", "Editing"],
        ["Training"] =
        [
            "Tensors",
            "SelfTest",
            "Images",
            "Metrics",
            "Diffusion",
            "Scenes",
            "Weights",
            "Layers",
            "Text",
            "Vae",
            "Attention",
            "UNet",
            "Perception",
            "Loading",
            "Inversion",
            "Editing",
        ],
        ["Experiments"] =
        [
            "Tensors",
            "SelfTest",
            "Images",
            "Metrics",
            "Diffusion",
            "Scenes",
            "Weights",
            "Layers",
            "Text",
            "Vae",
            "Attention",
            "UNet",
            "Loading",
            "Planning",
            "Inversion",
            "Editing",
            "Training",
        ],
        ["Verification"] =
        [
            "Tensors",
            "Images",
            "Metrics",
            "Diffusion",
            "Weights",
            "Layers",
            "Text",
            "Perception",
            "Vae",
            "Attention",
            "UNet",
            "Inversion",
            "Editing",
        ],
        // Data sets of edits and judges of results; statistics over tasks; studies of many pictures, methods and editors.
        ["Benchmarks"] =
        [
            "Tensors",
            "Images",
            "Metrics",
            "Scenes",
            "Weights",
            "Text",
            "Perception",
            "Diffusion",
            "Inversion",
            "Editing",
            "Training",
            "Experiments",
        ],
    };

    // Who may use the loaded bundle (root namespace).
    private static readonly string[] AboveTheBundle = ["UseCases", "Training", "Experiments", "Verification"];

    private static readonly Dictionary<string, string[]> Projects = new()
    {
        ["NullTextResearch"] = [],
        ["NullTextResearch.Figures"] = ["NullTextResearch"],
        // The only project that speaks to a server; the library finds what it has put into the cache.
        ["NullTextResearch.Hub"] = ["NullTextResearch"],
        ["NullTextResearch.ImageSharp"] = ["NullTextResearch", "NullTextResearch.Hosting"],
        // What a library may know of a notebook; depends on nothing.
        ["NullTextResearch.Hosting"] = [],
        // Runs any C#: it knows neither the workbench nor TorchSharp.
        ["NullTextResearch.Kernel"] = ["NullTextResearch.Hosting"],
        // The F# compiler stays out of a kernel that runs no F#.
        ["NullTextResearch.Kernel.FSharp"] = ["NullTextResearch.Kernel"],
        ["NullTextResearch.Interactive"] = ["NullTextResearch", "NullTextResearch.Figures", "NullTextResearch.Hosting"],
        // The workbench in Microsoft's kernel; the only one that knows that kernel's packages.
        ["NullTextResearch.DotNetInteractive"] =
        [
            "NullTextResearch",
            "NullTextResearch.Figures",
            "NullTextResearch.Hosting",
            "NullTextResearch.ImageSharp",
            "NullTextResearch.Interactive",
        ],
        ["NullTextResearch.Cli"] =
        [
            "NullTextResearch",
            "NullTextResearch.Figures",
            "NullTextResearch.Hub",
            "NullTextResearch.ImageSharp",
            "NullTextResearch.Interactive",
            "NullTextResearch.Kernel",
            "NullTextResearch.Kernel.FSharp",
        ],
        ["NullTextResearch.Bench"] = ["NullTextResearch"],
    };

    [Fact]
    public void Rooms_AllSources_UseOnlyRoomsBelowThem()
    {
        string core = SourceTree.At("src", "NullTextResearch");
        List<string> wrong = [];
        int files = 0;
        foreach (string folder in Directory.GetDirectories(core))
        {
            string room = Path.GetFileName(folder);
            if (room is "bin" or "obj" or "Package")
                continue;
            Assert.True(Allowed.ContainsKey(room), $"The room {room} has no place in the house yet: add it to the table.");
            foreach (string file in Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories))
            {
                files++;
                string text = File.ReadAllText(file);
                foreach (Match match in Regex.Matches(text, @"NullTextResearch\.([A-Z]\w+)"))
                {
                    string used = match.Groups[1].Value;
                    if (used != room && Allowed.ContainsKey(used) && !Allowed[room].Contains(used))
                        wrong.Add($"{room}/{Path.GetFileName(file)} uses {used}");
                }
                if (!AboveTheBundle.Contains(room) && Regex.IsMatch(text, @"\bStableDiffusion\.(Load|MiniFolder|ReadSchedule)|\bStableDiffusion \w+[,;)]"))
                    wrong.Add($"{room}/{Path.GetFileName(file)} uses the loaded bundle");
            }
        }
        Assert.True(files > 40, $"Only {files} files seen: is the path right?");
        Assert.Empty(wrong.Distinct());
    }

    [Fact]
    public void Projects_AllReferences_PointDownwards()
    {
        foreach (string file in Directory.GetFiles(SourceTree.At("src"), "*.csproj", SearchOption.AllDirectories))
        {
            string project = Path.GetFileNameWithoutExtension(file);
            string[] used =
            [
                .. XDocument
                    .Load(file)
                    .Descendants("ProjectReference")
                    .Select(e => Path.GetFileNameWithoutExtension(e.Attribute("Include")!.Value.Replace('\\', '/'))),
            ];
            Assert.True(Projects.ContainsKey(project), $"The project {project} has no place in the house yet.");
            Assert.Empty(used.Except(Projects[project]));
        }
    }
}
