"""Many candidate sites: read them, solve them on every core or a cluster, resume, rank.

A batch never ends because of one site: whatever goes wrong becomes a row. See :func:`solve_many`.

On this machine one worker process per core is started, and nothing needs to be set up::

    sitedesign batch sites.csv --out results/ --racks 700 --uptime 0.999

Its scheduler and workers talk over encrypted connections with certificates made for that run, and serve no
web pages: what travels is pickled Python, so whoever could reach the scheduler could run code as you.

A cluster needs a running dask scheduler and workers with one thread each; the batch itself runs anywhere that
reaches the scheduler, and can be killed and started again like on one machine. The same holds there: without
TLS, anybody on its network can run code on every node. Each recipe below says how to have it.

SLURM, with dask-jobqueue (``pip install dask-jobqueue``); certificates are made for the run and reach the
nodes through a folder that only you can read::

    from dask.distributed import Client
    from dask_jobqueue import SLURMCluster
    from distributed.security import Security
    import sitedesign as sd

    if __name__ == "__main__":
        cluster = SLURMCluster(
            queue="normal", cores=32, processes=32, memory="64GB", walltime="04:00:00",
            protocol="tls://", security=Security.temporary(),
            shared_temp_directory="/home/me/.dask-tls",
            scheduler_options={"dashboard": False},
            job_script_prologue=["source ~/venv/bin/activate", "export NUMBA_CACHE_DIR=$TMPDIR/numba",
                                  "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False"],
        )
        cluster.adapt(minimum_jobs=1, maximum_jobs=20)
        sd.solve_many("sites.csv", out="results/", scheduler=Client(cluster), racks=700, uptime=0.999)

Jobs that reach their wall time give their sites back; ``adapt`` starts new ones. A node compiles the kernels
once, into ``NUMBA_CACHE_DIR``.

Kubernetes, with dask-kubernetes (``pip install dask-kubernetes``, the Dask operator installed in the cluster,
and an image in which ``pip install sitedesign`` was run). The operator has no certificates of its own: let
a NetworkPolicy admit only pods of this cluster to scheduler and workers, or a service mesh encrypt them::

    from dask_kubernetes.operator import KubeCluster
    import sitedesign as sd

    if __name__ == "__main__":
        cluster = KubeCluster(
            name="sitedesign", image="registry.example.org/sitedesign:0.1.0", n_workers=100,
            worker_command=["dask", "worker", "--nthreads", "1", "--memory-limit", "1GiB"],
            env={"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"},
            resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1.5Gi"}},
        )
        address = cluster.scheduler_address
        sd.solve_many("sites.csv", out="results/", scheduler=address, racks=700, uptime=0.999)

By hand, on any machines that see each other. One certificate and its key, readable by you alone on every
machine, serve all of them (``openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=sitedesign
-keyout dask.key -out dask.crt``)::

    export DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=True          # on every machine, the batch's own too
    export DASK_DISTRIBUTED__COMM__TLS__CA_FILE=dask.crt
    for role in SCHEDULER WORKER CLIENT; do
        export DASK_DISTRIBUTED__COMM__TLS__${role}__CERT=dask.crt
        export DASK_DISTRIBUTED__COMM__TLS__${role}__KEY=dask.key
    done
    dask scheduler --protocol tls --no-dashboard         # prints its address
    export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False
    dask worker tls://10.0.0.1:8786 --nthreads 1 --nworkers auto --no-dashboard
    sitedesign batch sites.csv --out results/ --scheduler tls://10.0.0.1:8786 --racks 700 --uptime 0.999

Without that setting each worker keeps a profile of every second of the last hour, some 100 to 1,000 MB.
All machines need the same versions of sitedesign and of the packages in the manifest.
"""
