using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Figures.Paper;
using NullTextResearch.Hosting;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Sharing;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive.Rendering;

/// <summary>
/// Shows the library's own values at the end of a cell: images as pictures, tensors with their range, results and options as
/// tables. The library knows nothing about notebooks, so its types cannot do this themselves.
/// </summary>
internal static class LibraryViews
{
    private const int MostPictures = 30;
    private const int MostValues = 64;
    private const int LongestText = 120;

    // All other classes show their members.
    private static readonly Type[] Pictured =
    [
        typeof(RgbImage),
        typeof(IReadOnlyCollection<RgbImage>),
        typeof(ExperimentImage),
        typeof(IReadOnlyCollection<ExperimentImage>),
        typeof(IReadOnlyCollection<NamedImage>),
        typeof(Chart),
        typeof(ImageGrid),
        typeof(TableData),
        typeof(FigureContent),
        typeof(Tensor),
    ];

    private static readonly Lazy<IReadOnlyList<Type>> All = new(() =>
        [
            .. Pictured,
            .. new[] { typeof(RgbImage).Assembly, typeof(Chart).Assembly, typeof(LibraryViews).Assembly }
                .SelectMany(a => a.GetExportedTypes())
                .Where(t => IsOurs(t) && !t.IsGenericTypeDefinition && !typeof(IRendered).IsAssignableFrom(t) && !Pictured.Any(p => p.IsAssignableFrom(t))),
        ]
    );

    /// <summary>
    /// For kernels that register formatters by type instead of by value: all types that <see cref="Of"/> may handle, including derived classes and
    /// implementations.
    /// </summary>
    public static IReadOnlyList<Type> Shown => All.Value;

    /// <summary>Registers with the kernel: ours loads this assembly when it starts, .NET Interactive when the assembly is first used.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A cell that never names the workbench must show its results too.")]
    internal static void Register()
    {
        Notebook.ShowInstead(Of);
        SharedArrays.Register(new LibraryArrays());
        DotNetInteractiveFormatters.Register();
    }

    /// <summary>A result that shows the value; null if the value is not ours or shows itself.</summary>
    public static object? Of(object value) =>
        value switch
        {
            IRendered => null,
            RgbImage image => View.Image(image),
            ExperimentImage image => new ImageView([Named(image)], null),
            IReadOnlyCollection<RgbImage> { Count: > 0 } images => Several(
                images.Count,
                images.Select((image, i) => new NamedImage(i.ToString(CultureInfo.InvariantCulture), image))
            ),
            IReadOnlyCollection<ExperimentImage> { Count: > 0 } images => Several(images.Count, images.Select(Named)),
            IReadOnlyCollection<NamedImage> { Count: > 0 } images => Several(images.Count, images),
            Chart chart => View.Chart(chart),
            ImageGrid grid => View.Grid(grid),
            TableData table => View.Table(table),
            FigureContent figure => View.Figure(figure),
            Tensor tensor => OfTensor(tensor),
            _ => IsOurs(value.GetType()) ? Members(value) : null,
        };

    private static NamedImage Named(ExperimentImage image) => new(image.Caption, image.Image);

    private static ImageView Several(int count, IEnumerable<NamedImage> images) =>
        new(
            [.. images.Take(MostPictures)],
            count > MostPictures ? string.Create(CultureInfo.InvariantCulture, $"the first {MostPictures} of {count} pictures") : null
        );

    private static Visual OfTensor(Tensor tensor)
    {
        if (tensor.IsInvalid)
            return View.Table(
                "",
                ["tensor", ""],
                [
                    ["state", "disposed"],
                ]
            );
        List<IReadOnlyList<string>> rows =
        [
            ["shape", Shape(tensor)],
            ["type", tensor.dtype.ToString()],
            ["device", tensor.device.ToString()],
        ];
        long count = tensor.numel();
        if (count == 0 || tensor.is_complex())
            return View.Table("", ["tensor", ""], rows);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor values = tensor.detach().cpu().to(ScalarType.Float64).contiguous();
        if (count > 1)
        {
            Tensor finite = values.masked_select(values.isfinite());
            long good = finite.numel();
            if (good > 0)
            {
                rows.Add(["smallest, largest", $"{Number(finite.min().item<double>())}, {Number(finite.max().item<double>())}"]);
                rows.Add(["mean", Number(finite.mean().item<double>())]);
                if (good > 1)
                    rows.Add(["standard deviation", Number(finite.std().item<double>())]);
            }

            if (good < count)
                rows.Add(["not finite", string.Create(CultureInfo.InvariantCulture, $"{count - good} of {count}")]);
        }

        if (count <= MostValues && tensor.dim() <= 2)
        {
            double[] flat = values.data<double>().ToArray();
            int width = tensor.dim() == 0 ? 1 : (int)tensor.shape[^1];
            rows.AddRange(
                flat.Chunk(width)
                    .Select(
                        (row, i) =>
                            (IReadOnlyList<string>)
                                [tensor.dim() < 2 ? "values" : string.Create(CultureInfo.InvariantCulture, $"row {i}"), string.Join("  ", row.Select(Number))]
                    )
            );
        }

        return View.Table("", ["tensor", ""], rows);
    }

    // Types with their own ToString keep it.
    private static bool IsOurs(Type type) =>
        type is { IsClass: true, IsArray: false }
        && type.Assembly.GetName().Name is "NullTextResearch" or "NullTextResearch.Figures" or "NullTextResearch.Interactive"
        && !typeof(Delegate).IsAssignableFrom(type)
        && !typeof(Exception).IsAssignableFrom(type)
        && (IsRecord(type) || type.GetMethod(nameof(ToString), Type.EmptyTypes)?.DeclaringType == typeof(object));

    private static bool IsRecord(Type type) => type.GetMethod("<Clone>$") is not null;

    private static TableView? Members(object value)
    {
        PropertyInfo[] members =
        [
            .. value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanRead && p.GetIndexParameters().Length == 0),
        ];
        return members.Length == 0
            ? null
            : View.Table("", [value.GetType().Name, ""], [.. members.Select(m => (IReadOnlyList<string>)[m.Name, Value(m, value)])]);
    }

    private static string Value(PropertyInfo member, object of)
    {
        try
        {
            return Short(member.GetValue(of));
        }
        catch (TargetInvocationException e) when (e.InnerException is ObjectDisposedException)
        {
            return "disposed";
        }
        catch (Exception e)
        {
            // Show the error in its place: the other members are still worth seeing.
            return $"({(e.InnerException ?? e).Message.ReplaceLineEndings(" ")})";
        }
    }

    private static string Short(object? value) =>
        value switch
        {
            null => "",
            string text => Cut(text),
            bool flag => flag ? "true" : "false",
            double number => Number(number),
            float number => Number(number),
            TimeSpan time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s"),
            Tensor { IsInvalid: true } => "disposed",
            Tensor tensor => $"{Shape(tensor)} {tensor.dtype}",
            StepEmbeddings embeddings => $"{Short(embeddings.Values)}, {(embeddings.IsPerStep ? "one per step" : "the same at all steps")}",
            PivotTrajectory pivot => string.Create(CultureInfo.InvariantCulture, $"{pivot.Steps + 1} levels of {Short(pivot.Noisiest)}"),
            RgbImage image => string.Create(CultureInfo.InvariantCulture, $"{image.Width} x {image.Height} pixels"),
            IFormattable plain when value.GetType().IsPrimitive || value is Enum => plain.ToString(null, CultureInfo.InvariantCulture),
            ICollection items => Items(items),
            _ => IsRecord(value.GetType()) || !IsOurs(value.GetType()) ? Cut(value.ToString() ?? "") : value.GetType().Name,
        };

    private static string Items(ICollection items)
    {
        object?[] few = [.. items.Cast<object?>().Take(9)];
        if (few.Length <= 8 && few.All(i => i is string or bool or double or float or int or long or Enum))
            return Cut($"[{string.Join(", ", few.Select(Short))}]");
        string each =
            few is [ICollection inner, ..] ? $" x {inner.Count.ToString(CultureInfo.InvariantCulture)}"
            : few is [{ } first, ..] ? $" x {first.GetType().Name}"
            : "";
        return items.Count.ToString(CultureInfo.InvariantCulture) + each;
    }

    private static string Shape(Tensor tensor) => $"[{string.Join(", ", tensor.shape)}]";

    private static string Number(double value) => value.ToString("G5", CultureInfo.InvariantCulture);

    private static string Cut(string text) => text.Length <= LongestText ? text : text[..LongestText] + " ...";
}
