// Command vcsim serves govmomi's simulated vCenter over plain HTTP on loopback.
//
// It is a vCenter that this project did not write, so the client's reading of the protocol is checked by somebody else's.
// The first line on stdout is the URL of the SDK; the server stops when its standard input ends, so it never outlives
// the program that started it.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	user := flag.String("username", "chaos", "the only user that may log in")
	password := flag.String("password", "chaos", "that user's password")
	vms := flag.Int("vms", 100, "VMs in all; must divide evenly over the clusters and standalone hosts of all datacenters")
	datacenters := flag.Int("datacenters", 2, "datacenters")
	clusters := flag.Int("clusters", 1, "clusters per datacenter")
	clusterHosts := flag.Int("cluster-hosts", 3, "hosts per cluster")
	standalone := flag.Int("standalone-hosts", 1, "standalone hosts per datacenter")
	flag.Parse()

	pools := *datacenters * (*clusters + *standalone)
	if pools == 0 || *vms%pools != 0 {
		log.Fatalf("vcsim: %d VMs do not divide evenly over %d resource pools", *vms, pools)
	}

	model := simulator.VPX()
	model.Datacenter = *datacenters
	model.Cluster = *clusters
	model.ClusterHost = *clusterHosts
	model.Host = *standalone
	model.Machine = *vms / pools
	if err := model.Create(); err != nil {
		log.Fatalf("vcsim: cannot build the inventory: %v", err)
	}

	model.Service.Listen = &url.URL{Host: *listen, User: url.UserPassword(*user, *password)}
	server := model.Service.NewServer()
	// The simulator logs every change of every object.
	log.SetOutput(io.Discard)
	fmt.Printf("%s://%s%s\n", server.URL.Scheme, server.URL.Host, server.URL.Path)

	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
	model.Remove()
}
