using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Interactive.Rendering;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Models;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive;

/// <summary>
/// A workbench for one model: invert, edit, compare, sweep, show. Every call runs on its own thread, shows its progress, can be
/// awaited, and stops when the notebook's stop button is pressed.
/// </summary>
/// <example>
/// <code>
/// using NullTextResearch;
/// using NullTextResearch.Interactive;
/// var bench = Workbench.Open();                                  // sd-mini; or the folder or file of a Stable Diffusion model
/// var image = await bench.Invert("photo.png", "a cat on a meadow");
/// await bench.Edit(image, "a dog on a meadow")                   // shows source, reconstruction and edit
/// </code>
/// </example>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Text])]
public sealed partial class Workbench : IDisposable, IRendered
{
    private static readonly Lock LoaderGate = new();
    private static Action<object>? _loader;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly List<IInversion> _methods = [.. Interactive.Methods.Usual];
    private readonly int _threads;
    private string? _fingerprint;
    private bool _disposed;

    private Workbench(StableDiffusion model, WorkbenchOptions options)
    {
        Model = model;
        Options = options;
        _threads = options.Threads ?? ProcessorThreads.For(model.UNet.Config, model.UNet.Config.SampleSize, model.UNet.Config.SampleSize);
    }

    /// <summary>The model, which the library's own functions take.</summary>
    public StableDiffusion Model { get; }

    /// <summary>Options used.</summary>
    public WorkbenchOptions Options { get; }

    /// <summary>
    /// Default methods of <see cref="Compare(RgbImage, string, IReadOnlyList{IInversion}, InvertOptions, CancellationToken)"/>; <see
    /// cref="Register"/> adds to them.
    /// </summary>
    public IReadOnlyList<IInversion> Registered => _methods;

    /// <summary>Opens a model, and puts plotly.js into the notebook.</summary>
    /// <param name="model">
    /// A Stable Diffusion 1.x or 2.x model with safetensors weights: a folder in diffusers format, an original single file, or the owner/name of a
    /// model in the <see cref="ModelCache"/>; null opens sd-mini, which comes with the library.
    /// </param>
    /// <param name="options">Device and the like; null for the defaults.</param>
    /// <exception cref="ModelNotFoundException">A name was given, and the cache does not have that model; nothing is downloaded.</exception>
    /// <exception cref="ModelFormatException">A part of the model is missing or not supported.</exception>
    /// <exception cref="MemoryPlanException">Null-text inversion with this model does not fit into this machine's memory; nothing was loaded.</exception>
    public static Workbench Open(string? model = null, WorkbenchOptions? options = null)
    {
        options ??= new WorkbenchOptions();
        ModelSource source = ModelSource.Find(
            model ?? StableDiffusion.MiniFolder(),
            (options.Loading ?? new ModelLoadOptions()) with
            {
                Device = ComputeDevice.Parse(options.Device),
                Dtype = Precision.Parse(options.Precision),
                Memory = options.Memory,
            }
        );
        MemoryPlan.RequireFits(
            source,
            new MemoryDemand
            {
                ImageSize = source.ImageSize,
                Rows = 2,
                GradientRows = 1,
            }
        );
        StableDiffusion loaded = StableDiffusion.Load(source);
        StaticCharts.Wanted = options.StaticCharts;
        if (options.LoadPlotly)
            LoadPlotly();
        return new Workbench(loaded, options);
    }

    /// <summary>
    /// Puts plotly.js into the output of the running cell, so that charts are interactive without a network. A notebook keeps one
    /// copy: that of an earlier cell is removed. Does nothing outside a notebook.
    /// </summary>
    public static void LoadPlotly()
    {
        Output output = Output.Current;
        if (!output.IsRich)
            return;
        lock (LoaderGate)
        {
            _loader?.Invoke(PlotlyLoader.Moved);
            _loader = output.Display(PlotlyLoader.Here);
        }
    }

    /// <summary>Held-out toy scenes with captions and planned edits, rendered at the model's size; no files are needed.</summary>
    /// <param name="count">Number of scenes, at least 1.</param>
    public IReadOnlyList<ExperimentImage> Toy(int count = 1) => ExperimentImages.Toy(count, Model.ImageSize);

    /// <summary>Reads images with captions from a folder. Next to each image is a text file of the same name; its first line is the caption.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="count">Maximum number of images; null for all.</param>
    /// <param name="size">Size of the images; null for the model's own square.</param>
    /// <exception cref="ImageFileException">The folder has no images, or one that cannot be read or lacks its caption.</exception>
    public IReadOnlyList<ExperimentImage> Images(string folder, int? count = null, ImageSizing? size = null) =>
        ExperimentImages.FromFolder(folder, Model.Sizes, count, size);

    /// <summary>
    /// Images with captions and planned edits that suit the model: rendered scenes for sd-mini, the library's photographs for Stable Diffusion.
    /// </summary>
    /// <param name="count">Maximum number of images, at least 1.</param>
    /// <param name="size">Size of the images; null for the model's own square.</param>
    public IReadOnlyList<ExperimentImage> Examples(int count = 1, ImageSizing? size = null) => ExperimentImages.For(Model.Sizes, count, size);

    /// <summary>Reads an image and brings it to a size that the model accepts.</summary>
    /// <param name="path">PNG, JPEG or WebP file.</param>
    /// <param name="crop">Crop applied first; null crops nothing.</param>
    /// <param name="size">
    /// The size; null crops to a centred square and resizes to the model's size. Pass <see cref="ImageSizing.AsIs"/> with the result to later calls.
    /// </param>
    /// <exception cref="ImageFileException">The file cannot be read.</exception>
    /// <exception cref="ArgumentException">The model does not accept the size.</exception>
    public RgbImage Load(string path, ImagePreparation? crop = null, ImageSizing? size = null) => Prepared(ImageFile.Load(path), crop, size);

    /// <summary>Adds a method to the default methods of comparisons; replaces one of the same name.</summary>
    /// <param name="method">The method: one of <see cref="Methods"/>, or your own class.</param>
    public void Register(IInversion method)
    {
        ArgumentNullException.ThrowIfNull(method);
        int known = _methods.FindIndex(m => m.Name == method.Name);
        if (known >= 0)
            _methods[known] = method;
        else
            _methods.Add(method);
    }

    /// <summary>Shows a picture now; to show it as a cell's result, use <see cref="View.Image"/>.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="name">Its name.</param>
    public void Show(RgbImage image, string name = "image") => View.Image(image, name).Show();

    /// <summary>Shows results now, one output each.</summary>
    /// <param name="visuals">The results.</param>
    public void Show(params IReadOnlyList<Visual> visuals)
    {
        foreach (Visual visual in visuals)
            visual.Show();
    }

    /// <summary>Decodes latents and shows the pictures now.</summary>
    /// <param name="latents">[B, 4, h, w]; borrowed.</param>
    /// <param name="name">Their name.</param>
    public void Show(Tensor latents, string name = "latents") => Latents(latents, name).Show();

    /// <summary>Latents as pictures: decoded, and for a single one also its four channels in grey (-3 black, 3 white).</summary>
    /// <param name="latents">[B, 4, h, w]; borrowed.</param>
    /// <param name="name">Their name.</param>
    public ImageView Latents(Tensor latents, string name = "latents")
    {
        Shape.Require(latents, [-1, Model.Vae.Config.LatentChannels, -1, -1]);
        ApplyThreads();
        RgbImage[] decoded = Model.Decode(latents);
        List<NamedImage> images =
        [
            .. decoded.Select((image, i) => new NamedImage(decoded.Length == 1 ? "decoded" : string.Create(CultureInfo.InvariantCulture, $"{i}"), image)),
        ];
        if (decoded.Length == 1)
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable grad = no_grad();
            for (int channel = 0; channel < (int)latents.shape[1]; channel++)
            {
                Tensor grey = latents.narrow(1, channel, 1).detach().to(ScalarType.Float32).div(tensor(3f)).expand(-1, 3, -1, -1);
                images.Add(new NamedImage($"channel {channel}", ImageTensor.ToImages(grey)[0]));
            }
        }

        return new ImageView(images, name);
    }

    /// <summary>Frees the model; results can still be shown.</summary>
    public void Dispose()
    {
        _gate.Wait();
        if (!_disposed)
            Model.Dispose();
        _disposed = true;
        _gate.Release();
    }

    /// <summary>Name, device and size of the model.</summary>
    public override string ToString() => ((IRendered)this).Render().Text;

    Rendition IRendered.Render()
    {
        IReadOnlyList<string>[] rows =
        [
            ["model", Model.Name],
            ["images", string.Create(CultureInfo.InvariantCulture, $"{Model.ImageSize} x {Model.ImageSize} pixels")],
            [
                "latents",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Model.Vae.Config.LatentChannels} x {Model.UNet.Config.SampleSize} x {Model.UNet.Config.SampleSize}"
                ),
            ],
            ["device", $"{Model.Device}, {Model.Dtype}"],
            .. Model.Memory == new MemoryOptions()
                ? (string[][])[]
                :
                [
                    ["memory saved by", Model.Memory.ToString()],
                ],
            ["methods", string.Join(", ", _methods.Select(m => m.Name))],
        ];
        return ((IRendered)View.Table("", ["workbench", ""], rows)).Render();
    }

    private RgbImage Prepared(RgbImage image, ImagePreparation? crop, ImageSizing? size) =>
        (crop ?? new ImagePreparation()).Apply(image, size ?? ImageSizing.Own, Model.Sizes);

    // An image of a set already has its size.
    private ImageSizing SizeOf(ExperimentImage image, ImageSizing? wanted) =>
        wanted ?? (Model.Sizes.Allows(PixelSize.Of(image.Image)) ? ImageSizing.AsIs : ImageSizing.Own);

    private void ApplyThreads()
    {
        // These are settings of the calling thread.
        Native.PrepareThread();
        set_num_threads(_threads);
    }

    /// <summary>
    /// Runs work on a separate thread: dispose scopes and gradient modes belong to threads, so nothing is awaited inside.
    /// One task runs at a time; the next waits.
    /// </summary>
    internal Task<T> Run<T>(string title, Func<LiveProgress, CancellationToken, T> work, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Output output = Output.Current;
        CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(output.Cancellation, cancellation);
        LiveProgress progress = new(title, output);
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(Work) { IsBackground = true, Name = "workbench" };
        thread.Start();
        return done.Task;

        void Work()
        {
            bool entered = false;
            try
            {
                _gate.Wait(stop.Token);
                entered = true;
                ObjectDisposedException.ThrowIf(_disposed, this);
                ApplyThreads();
                T result = work(progress, stop.Token);
                progress.Finish(ProgressEnd.Done);
                done.SetResult(result);
            }
            catch (OperationCanceledException e)
            {
                End(ProgressEnd.Stopped);
                done.SetCanceled(e.CancellationToken);
            }
            catch (Exception e)
            {
                // Passed on: it is thrown where the call is awaited.
                End(ProgressEnd.Failed);
                done.SetException(e);
            }
            finally
            {
                if (entered)
                    _gate.Release();
                stop.Dispose();
            }
        }

        void End(ProgressEnd end)
        {
            try
            {
                progress.Finish(end);
            }
            catch (Exception e)
            {
                // The front end itself may have failed; the error of the work matters more and must reach the caller.
                System.Diagnostics.Debug.WriteLine(e);
            }
        }
    }
}
